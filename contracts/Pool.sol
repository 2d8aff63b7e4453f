// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Token} from "./Token.sol";

/// @title A constant-product pool of two tokens with a fee of 0.3 %.
/// @notice Every swap reads and writes the pool's one slot of reserves: swaps in one pool are serial
/// whoever sends them, swaps in different pools are independent.
contract Pool {
    Token public token0;
    Token public token1;
    uint112 public reserve0;
    uint112 public reserve1;

    event Sync(uint112 reserve0, uint112 reserve1);
    event Swap(address indexed sender, bool zeroForOne, uint256 amountIn, uint256 amountOut);

    error NothingIn();
    error TooLittleOut(uint256 amountOut, uint256 minimumOut);

    constructor(Token first, Token second) {
        token0 = first;
        token1 = second;
    }

    function addLiquidity(uint112 amount0, uint112 amount1) external {
        token0.transferFrom(msg.sender, address(this), amount0);
        token1.transferFrom(msg.sender, address(this), amount1);
        reserve0 += amount0;
        reserve1 += amount1;
        emit Sync(reserve0, reserve1);
    }

    function swap(uint256 amountIn, uint256 minimumOut, bool zeroForOne)
        external
        returns (uint256 amountOut)
    {
        if (amountIn == 0) revert NothingIn();
        (uint256 reserveIn, uint256 reserveOut) =
            zeroForOne ? (reserve0, reserve1) : (reserve1, reserve0);
        uint256 amountInWithFee = amountIn * 997;
        amountOut = (amountInWithFee * reserveOut) / (reserveIn * 1000 + amountInWithFee);
        if (amountOut < minimumOut) revert TooLittleOut(amountOut, minimumOut);

        (Token tokenIn, Token tokenOut) = zeroForOne ? (token0, token1) : (token1, token0);
        tokenIn.transferFrom(msg.sender, address(this), amountIn);
        tokenOut.transfer(msg.sender, amountOut);

        uint112 newReserveIn = uint112(reserveIn + amountIn);
        uint112 newReserveOut = uint112(reserveOut - amountOut);
        (reserve0, reserve1) =
            zeroForOne ? (newReserveIn, newReserveOut) : (newReserveOut, newReserveIn);
        emit Sync(reserve0, reserve1);
        emit Swap(msg.sender, zeroForOne, amountIn, amountOut);
    }
}
