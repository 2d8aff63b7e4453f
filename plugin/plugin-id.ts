// The id under which Hardhat knows the plugin, which is also the package's name.
// The authority on that name inside plugin/.
// Must not import anything: the plugin's index loads it eagerly.
export const PLUGIN_ID = 'parallel-evm'
