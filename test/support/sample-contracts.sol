// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

// Contracts whose storage has the shapes that access prediction must recognize. Never deployed to be
// used: what they compute does not matter, only where they keep it.

contract Ledger {
    struct Position {
        uint128 amount;
        uint128 debt;
        address owner;
        uint256 last;
    }

    struct Order {
        address maker;
        uint256 price;
        uint256 amount;
    }

    uint256[] public history;
    mapping(address => Position) public positions;
    Order[] public orders;
    mapping(address => uint256[]) public lists;
    mapping(string => address) public names;
    mapping(uint256 => mapping(address => bool)) public votes;
    uint64 public padding;
    address public treasury;

    function record(uint256 value) external {
        history.push(value);
    }

    function deposit(uint128 amount) external {
        Position storage position = positions[msg.sender];
        position.amount += amount;
        position.owner = msg.sender;
        position.last = amount;
    }

    function place(uint256 price, uint256 amount) external {
        orders.push(Order(msg.sender, price, amount));
    }

    function append(uint256 value) external {
        lists[msg.sender].push(value);
    }

    function fill(uint256 index, uint256 amount) external {
        orders[index].amount -= amount;
    }

    function register(string calldata name) external {
        names[name] = msg.sender;
    }

    function vote(uint256 proposal) external {
        votes[proposal][msg.sender] = true;
    }

    function pay() external payable {
        (bool isPaid,) = treasury.call{value: msg.value / 2}("");
        require(isPaid);
    }
}

contract Proxy {
    fallback() external payable {
        assembly {
            // EIP-1967: the slot of the implementation.
            let implementation := sload(0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc)
            calldatacopy(0, 0, calldatasize())
            let result := delegatecall(gas(), implementation, 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            switch result
            case 0 { revert(0, returndatasize()) }
            default { return(0, returndatasize()) }
        }
    }
}

interface IToken {
    function transferFrom(address from, address to, uint256 value) external returns (bool);
    function transfer(address to, uint256 value) external returns (bool);
}

// Pays out of whichever token it is told: where each token keeps its balances is the token's business.
contract Router {
    function forward(IToken token, address to, uint256 value) external {
        token.transferFrom(msg.sender, to, value);
    }
}

// A token that keeps its balances elsewhere than Token does.
contract OtherToken {
    address public owner;
    uint256 public fee;
    string public title;
    mapping(address owner => mapping(address spender => uint256)) public allowance;
    mapping(address account => uint256) public balanceOf;

    function transferFrom(address from, address to, uint256 value) external returns (bool) {
        allowance[from][msg.sender] -= value;
        balanceOf[from] -= value;
        balanceOf[to] += value;
        return true;
    }
}
