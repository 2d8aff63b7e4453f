// Contracts that fail in every way that Hardhat has words for, compiled when a test asks for them.
// Authority on nothing. Must not be optimised: then the compiler leaves out some of the checks.
import { createRequire } from 'node:module'
import type { CompilerOutput } from '../../../../plugin/devnet/tracing/failure/contract-artifacts.ts'

const source = `
pragma solidity ^0.8.0;
interface Other { function get() external view returns (uint256); function set(uint256) external; }
contract Inner {
  uint256 public x;
  error InnerError(address who);
  function bad() public view { revert InnerError(msg.sender); }
  function burn() public { while (true) { x++; } }
  function boom() public pure { revert("inner"); }
  function noReason() public pure { revert(); }
}
contract Failing {
  error Custom(uint256 a, address b, string s, bytes c, int256[] d, bytes4 e, bool f);
  error Nested(Pair[2] pairs, uint8 n);
  error Plain();
  struct Pair { uint256 one; string two; }
  uint256 immutable limit = block.number;
  uint256 value;
  uint256[] list;
  Inner inner = new Inner();
  function reason() public pure { revert("some reason"); }
  function custom() public pure { int256[] memory d = new int256[](2); d[0]=-1; d[1]=7; revert Custom(1, address(0xAbCdEf), "text", hex"010203", d, 0x01020304, true); }
  function nested() public pure { Pair[2] memory p; p[0] = Pair(3, "a"); p[1] = Pair(4, "b"); revert Nested(p, 9); }
  function plain() public pure { revert Plain(); }
  function none() public pure { revert(); }
  function requireFalse() public view { require(limit == 0); }
  function assertFalse() public pure { assert(false); }
  function overflow(uint256 a) public pure returns (uint256) { return a - 1; }
  function divide(uint256 a) public pure returns (uint256) { return 1 / a; }
  function popEmpty() public { list.pop(); }
  function index(uint256 a) public view returns (uint256) { return list[a]; }
  function nonContract() public { Other(address(0x1234)).set(1); }
  function nonContractGet() public view returns (uint256) { return Other(address(0x1234)).get(); }
  function wrongReturn() public view returns (uint256) { return Other(address(this)).get(); }
  function innerBad() public view { inner.bad(); }
  function innerBoom() public view { inner.boom(); }
  function innerNone() public view { inner.noReason(); }
  function innerBurn() public { inner.burn(); }
  function innerCaught() public { try inner.noReason() {} catch {} revert("after"); }
  function invalid() public pure { assembly { invalid() } }
  function loop() public { while (true) { value++; } }
  function sendTo() public payable { (bool s,) = address(inner).call{value: msg.value}(""); require(s); }
  function transferTo() public payable { payable(address(inner)).transfer(msg.value); }
  function get() public pure { assembly { return(0, 0) } }
  function notPayable() public {}
  function unknownData() public pure { assembly { mstore(0, 0x1122334455667788000000000000000000000000000000000000000000000000) revert(0, 8) } }
  function text(string calldata s) public pure returns (uint256) { return bytes(s).length; }
}
contract More {
  enum Choice { First, Second }
  event Done(address indexed who, uint256 amount);
  mapping(uint256 => uint256) values;
  bytes text;
  uint256[] list;
  Inner inner = new Inner();
  function choose(uint256 a) public pure returns (Choice) { return Choice(a); }
  function badText() public returns (bytes memory) { assembly { sstore(text.slot, 1) } return text; }
  function allocate(uint256 a) public pure returns (uint256) { return new uint256[](a).length; }
  function callNothing() public pure { function() internal pure f; f(); }
  function unknownPanic() public pure { assembly { mstore(0, shl(224, 0x4e487b71)) mstore(4, 0x99) revert(0, 36) } }
  function write(uint256 a) public { values[a] = a + 1; emit Done(msg.sender, a); }
  function clear(uint256 a) public { values[a] = 1; delete values[a]; }
  function burnCaught() public returns (uint256) { try inner.burn{gas: 50000}() {} catch {} return gasleft(); }
  function needsGas() public view { require(gasleft() > 300000, "not enough gas"); }
  function passGas(uint256 a) public { try inner.x() returns (uint256) { values[a] = gasleft(); } catch {} }
  function balanceOfThis() public view returns (uint256) { return address(this).balance; }
  function fee() public view returns (uint256, uint256, uint256, address) { return (block.basefee, tx.gasprice, block.number, block.coinbase); }
  function destroy() public { selfdestruct(payable(msg.sender)); }
  function deploy(bytes32 salt) public returns (address) { return address(new Inner{salt: salt}()); }
  function emptyReason() public pure { revert(""); }
  function longReason() public pure { revert("a reason that is much longer than thirty-two bytes, so that it takes several words"); }
  function memoryHole() public pure { assembly { mstore(0xffffffffff, 1) } }
  function hugeMemory() public pure { assembly { mstore(not(0), 1) } }
  function badJump() public pure { assembly { pop(mload(0)) } }
  function staticWrite() public { (bool ok, bytes memory data) = address(this).staticcall(abi.encodeCall(this.write, (1))); require(ok, string(data)); }
  function hash(uint256 a) public view returns (bytes32) { return blockhash(a); }
  receive() external payable {}
}
contract Fallback { fallback() external { require(msg.data.length > 100); } }
contract TooLarge { constructor() { assembly { return(0, 30000) } } }
contract BadConstructor { constructor() { revert("constructor reason"); } }
contract NeedsArgument { uint256 a; constructor(uint256 x) { a = x; } }
library Functions { function one() external pure returns (uint256) { return 1; } }
`

export const compilerInput = {
  language: 'Solidity',
  sources: { 'project/Failing.sol': { content: source } },
  settings: { outputSelection: { '*': { '*': ['*'], '': ['ast'] } } },
}

export interface Compiled {
  readonly output: CompilerOutput
  bytecode(name: string): `0x${string}`
  /** Calldata of a function, of whichever contract, without its arguments. */
  selector(signature: string): `0x${string}`
}

interface Code {
  readonly evm: {
    readonly bytecode: { readonly object: string }
    readonly methodIdentifiers: Readonly<Record<string, string>>
  }
}

export function compileFailing(): Compiled {
  const { compile } = createRequire(import.meta.url)('solc') as { compile(input: string): string }
  const output = JSON.parse(compile(JSON.stringify(compilerInput))) as CompilerOutput & {
    readonly errors?: readonly { readonly severity: string; readonly formattedMessage: string }[]
  }
  const errors = (output.errors ?? []).filter(({ severity }) => severity === 'error')
  if (errors.length > 0) throw new Error(errors.map((each) => each.formattedMessage).join('\n'))
  const contracts = output.contracts?.['project/Failing.sol'] as unknown as Record<string, Code>
  return {
    output,
    bytecode: (name) => `0x${contracts[name]!.evm.bytecode.object}`,
    selector: (signature) => {
      const owner = Object.values(contracts).find((it) => signature in it.evm.methodIdentifiers)
      return `0x${owner!.evm.methodIdentifiers[signature]!}`
    },
  }
}
