// The errors the plugin shows to users: Hardhat prints them without a stack trace.
// The authority on how every message of the plugin is attributed.
// Must not be thrown for defects of the plugin itself: those keep their stack trace.
import { HardhatPluginError } from 'hardhat/plugins'

import { PLUGIN_ID } from './plugin-id.ts'

export function pluginError(message: string, cause?: unknown): HardhatPluginError {
  return new HardhatPluginError(PLUGIN_ID, message, cause instanceof Error ? cause : undefined)
}
