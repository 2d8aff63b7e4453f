// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title A collectible whose ids come from one counter.
/// @notice Every mint increments `minted`, so each one depends on the one before it: the worst case
/// of a parallel executor.
contract MintCounter {
    uint256 public minted;
    mapping(uint256 id => address) public ownerOf;
    mapping(address owner => uint256) public balanceOf;

    event Transfer(address indexed from, address indexed to, uint256 indexed id);

    function mint() external returns (uint256 id) {
        id = ++minted;
        ownerOf[id] = msg.sender;
        balanceOf[msg.sender] += 1;
        emit Transfer(address(0), msg.sender, id);
    }
}
