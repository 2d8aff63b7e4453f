// A worker setup module whose precompiles are no array. It must stay wrong.
export default () => ({ evmOpts: { customPrecompiles: 3 } })
