// A contract that prints with Hardhat's console library, compiled when a test asks for it.
// Authority on nothing. Must use the library that Hardhat ships.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const source = `
pragma solidity ^0.8.0;
import "hardhat/console.sol";
contract Printed {
  function inner(uint256 a) public view returns (uint256) { console.log("inner", a); return a; }
  function fails() public pure { console.log("before it fails"); revert("inner failure"); }
}
contract Printer {
  error Refused(uint256 amount);
  uint256 public value;
  Printed printed;
  constructor() { console.log("constructor of", address(this)); printed = new Printed(); }
  function print() public {
    console.log();
    console.log("plain");
    console.log("%s is %d, and 100%% of it", "this", 42);
    console.log("more", 1, true, msg.sender);
    console.logInt(-5);
    console.logBytes(hex"0102");
    console.logBytes32(bytes32(uint256(7)));
    console.log("two\\nlines");
    value += 1;
    console.log(value);
    console.log(printed.inner(value));
    try printed.fails() {} catch { console.log("caught"); }
  }
  function printAndFail() public { value = 9; console.log("at the last moment"); revert Refused(value); }
}
`

const library = new URL('../../../node_modules/hardhat/console.sol', import.meta.url)

export const printerInput = {
  language: 'Solidity',
  sources: {
    'project/Printer.sol': { content: source },
    'npm/hardhat@local/console.sol': { content: readFileSync(library, 'utf8') },
  },
  settings: {
    remappings: ['project/:hardhat/=npm/hardhat@local/'],
    outputSelection: { '*': { '*': ['*'], '': ['ast'] } },
  },
}

export interface Printer {
  readonly output: unknown
  readonly bytecode: `0x${string}`
  /** Calldata of a function without arguments. */
  selector(signature: string): `0x${string}`
}

export function compilePrinter(): Printer {
  const { compile } = createRequire(import.meta.url)('solc') as { compile(input: string): string }
  const output = JSON.parse(compile(JSON.stringify(printerInput)))
  const { evm } = output.contracts['project/Printer.sol'].Printer
  return {
    output,
    bytecode: `0x${evm.bytecode.object}`,
    selector: (signature) => `0x${evm.methodIdentifiers[signature]}`,
  }
}
