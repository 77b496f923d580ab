/**
 * Stands in bundles for `node-gyp-build`, which searches folders and asks the environment for an addon: a program loads
 * the one file that the build put beside it (SR-31), `serialport.node`.
 */
const { join } = require('node:path');

module.exports = () => {
  const addon = { exports: {} };
  process.dlopen(addon, join(__dirname, 'serialport.node'));
  return addon.exports;
};
