// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import "hardhat/console.sol";

contract Counter {
    uint256 public x;

    event Increment(uint256 by);

    error TooLarge(uint256 by, uint256 most);

    function inc() public {
        x++;
        console.log("x is", x);
        emit Increment(1);
    }

    function incBy(uint256 by) public {
        require(by > 0, "incBy: increment should be positive");
        if (by > 1000) revert TooLarge(by, 1000);
        x += by;
        emit Increment(by);
    }

    function dec() public {
        x -= 1;
    }

    function fail() public pure {
        revert();
    }
}
