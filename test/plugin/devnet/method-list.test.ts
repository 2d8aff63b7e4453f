// Which methods there are: all of Hardhat's own network, and those that it lacks and clients ask for.
import { expect, it } from 'vitest'
import { METHODS } from '../../../plugin/devnet/rpc/methods.ts'

const OF_HARDHAT = {
  eth: 'accounts blockNumber call chainId coinbase estimateGas feeHistory gasPrice blobBaseFee getBalance getBlockByHash getBlockByNumber getBlockTransactionCountByHash getBlockTransactionCountByNumber getCode getFilterChanges getFilterLogs getLogs getProof getStorageAt getTransactionByBlockHashAndIndex getTransactionByBlockNumberAndIndex getTransactionByHash getTransactionCount getTransactionReceipt maxPriorityFeePerGas newBlockFilter newFilter newPendingTransactionFilter pendingTransactions sendRawTransaction sendTransaction sign signTypedData_v4 subscribe syncing uninstallFilter unsubscribe',
  net: 'version',
  web3: 'clientVersion sha3',
  personal: 'sign',
  evm: 'increaseTime mine revert setAutomine setBlockGasLimit setIntervalMining setNextBlockTimestamp snapshot',
  hardhat:
    'dropTransaction getAutomine impersonateAccount metadata mine setBalance setCode setCoinbase setLoggingEnabled setMinGasPrice setNextBlockBaseFeePerGas setNonce setPrevRandao setStorageAt stopImpersonatingAccount',
  debug: 'traceCall traceTransaction',
}
const BESIDES = {
  eth: 'getBlockReceipts createAccessList simulateV1',
  txpool: 'status content contentFrom inspect',
  hardhat: 'reset',
  debug: 'traceBlockByNumber traceBlockByHash',
}

it.each([
  ['of Hardhat’s own network', OF_HARDHAT],
  ['that it lacks', BESIDES],
])('has every method %s', (_of, wanted) => {
  const names = Object.entries(wanted).flatMap(([group, list]) =>
    list.split(' ').map((name) => `${group}_${name}`),
  )
  expect(names.filter((name) => !Object.hasOwn(METHODS, name))).toEqual([])
})
