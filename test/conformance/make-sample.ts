// Script: cuts the committed sample out of the official blockchain tests, so that `npm test` needs
// nothing from outside. Authority on which files are in it; cases are kept as they are, but without
// the decoded copies of what their block RLP already says.
// node test/conformance/make-sample.ts --dir DIR
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { gzipSync } from 'node:zlib'

import type { BlockchainCase } from '../support/blockchain-case.ts'
import { readTestFiles } from '../support/ethereum-tests.ts'

const casesPerFile = 5

/** Two or three of everything that has ever been hard, small ones preferred. */
const chosen = new Set(
  `
  stSelfBalance/selfBalanceCallTypes stSelfBalance/selfBalanceUpdate
  stCreate2/create2collisionSelfdestructed2 stCreate2/create2collisionSelfdestructedRevert
  stCreate2/create2checkFieldsInInitcode stCreate2/RevertDepthCreateAddressCollisionBerlin
  stCreate2/CREATE2_ContractSuicideDuringInit_ThenStoreThenReturn
  stSystemOperationsTest/doubleSelfdestructTest stSystemOperationsTest/multiSelfdestruct
  stSystemOperationsTest/doubleSelfdestructTouch_Paris stSystemOperationsTest/suicideCaller
  stSystemOperationsTest/suicideSendEtherToMe stSystemOperationsTest/ABAcallsSuicide1
  stSystemOperationsTest/CreateHashCollision stSystemOperationsTest/extcodecopy
  stRevertTest/TouchToEmptyAccountRevert_Paris stRevertTest/RevertPrecompiledTouch_nonce
  stRevertTest/stateRevert stRevertTest/RevertPrefoundEmptyCall_Paris stRevertTest/RevertInCreateInInit_Paris
  stSStoreTest/sstore_XtoYtoX stSStoreTest/InitCollisionParis stSStoreTest/sstoreGas
  stPreCompiledContracts/modexpTests stPreCompiledContracts2/CallEcrecover0
  stPreCompiledContracts2/CALLCODERipemd160_3 stZeroKnowledge/ecmul_1-3_0_28000_96
  stZeroKnowledge/ecpairing_one_point_fail stZeroKnowledge2/ecadd_1-2_0-0_25000_64
  stSpecialTest/FailedCreateRevertsDeletionParis stTransactionTest/TransactionToItself
  stTransactionTest/SuicidesStopAfterSuicide stTransactionTest/NoSrcAccount
  stTransactionTest/StoreClearsAndInternalCallStoreClearsSuccess
  eip1153_tstore/reentrant_call eip1153_tstore/tload_after_tstore_is_zero
  stEIP1153-transientStorage/transStorageReset bcEIP1153-transientStorage/tloadDoesNotPersistCrossTxn
  eip4788_beacon_root/beacon_root_contract_timestamps eip4788_beacon_root/beacon_root_selfdestruct
  eip4844_blobs/blobhash_multiple_txs_in_block eip4844_blobs/insufficient_balance_blob_tx
  eip4844_blobs/fork_transition_excess_blob_gas eip4844_blobs/invalid_tx_max_fee_per_blob_gas
  eip4844_blobs/sufficient_balance_blob_tx_pre_fund_tx eip4844_blobs/valid_precompile_calls
  eip4844_blobs/point_evaluation_precompile_gas_usage eip5656_mcopy/mcopy_on_empty_memory
  eip6780_selfdestruct/create_selfdestruct_same_tx_increased_nonce
  eip6780_selfdestruct/dynamic_create2_selfdestruct_collision_multi_tx
  eip6780_selfdestruct/reentrancy_selfdestruct_revert create2/recreate opcodes/double_kill
  security/tx_selfdestruct_balance_bug eip3651_warm_coinbase/warm_coinbase_gas_usage
  eip4895_withdrawals/balance_within_block eip3860_initcode/contract_creating_tx
  bc4895-withdrawals/amountIs0TouchAccountAndTransaction
  bcStateTests/TransactionNonceCheck bcStateTests/TransactionFromCoinbaseNotEnoughFounds
  bcStateTests/transactionFromSelfDestructedContract bcStateTests/gasLimitTooHigh
  bcStateTests/create2collisionwithSelfdestructSameBlock bcStateTests/SuicidesMixingCoinbase
  bcStateTests/suicideStorageCheck bcStateTests/selfdestructBalance
  bcValidBlockTest/RecallSuicidedContractInOneBlock bcValidBlockTest/eip2930
  bcExample/basefeeExample bcExample/shanghaiExample bcEIP1559/transType bcEIP1559/feeCap
  bcEIP4844-blobtransactions/blockWithAllTransactionTypes bcInvalidHeaderTest/wrongGasLimit
  bcInvalidHeaderTest/log1_wrongBloom bcMultiChainTest/UncleFromSideChain bcUncleTest/oneUncle
  bcBerlinToLondon/londonUncles bcByzantiumToConstantinopleFix/ConstantinopleFixTransition
  bcHomesteadToDao/DaoTransactions_EmptyTransactionAndForkBlocksAhead bcGasPricerTest/notxs
  bcBlockGasLimitTest/SuicideTransaction bcForkStressTest/AmIOnEIP150
  bcRandomBlockhashTest/randomStatetest50BC stEIP1559/lowFeeCap stEIP3607/transactionCollidingWithNonEmptyAccount_calls
  stExtCodeHash/extCodeHashSelfInInit stExtCodeHash/extCodeHashDeletedAccount stEIP2930/addressOpcodes
  `
    .trim()
    .split(/\s+/),
)

const { values: options } = parseArgs({ options: { dir: { type: 'string' } } })
if (options.dir === undefined) throw new Error('--dir DIR says where the full tests are')

const sample: Record<string, Record<string, BlockchainCase>> = {}
for (const { name, cases } of readTestFiles(options.dir)) {
  const short = name
    .replace(/\.json$/, '')
    .split('/')
    .slice(-2)
    .join('/')
  if (!chosen.delete(short)) continue
  sample[name] = Object.fromEntries(
    cases.slice(0, casesPerFile).map(([caseName, test]) => [caseName, essence(test)]),
  )
}
for (const missing of chosen) console.log(`not among the tests: ${missing}`)
const file = fileURLToPath(new URL('../fixtures/ethereum-tests/sample.json.gz', import.meta.url))
const bytes = gzipSync(JSON.stringify(sample), { level: 9 })
writeFileSync(file, bytes)
console.log(`${Object.keys(sample).length} files, ${bytes.length} bytes`)

function essence({ network, genesisRLP, pre, lastblockhash, blocks }: BlockchainCase) {
  return {
    network,
    genesisRLP,
    pre,
    lastblockhash,
    blocks: blocks.map(({ rlp, expectException, blockHeader }) => ({
      rlp,
      ...(expectException === undefined ? {} : { expectException }),
      ...(blockHeader === undefined ? {} : { blockHeader: {} }),
    })),
  }
}
