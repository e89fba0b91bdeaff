// A file of its own, so that the reader of configurations is loaded only where there is one.
export { loadConfig } from "../index.ts";
