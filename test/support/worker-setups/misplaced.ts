// A worker setup module that gives its precompiles in the wrong place. It must stay wrong.
export default () => ({ customPrecompiles: [] })
