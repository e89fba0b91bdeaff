export { loadConfig } from "../index.ts";
