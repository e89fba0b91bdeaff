// The command line from its sources.
import { start } from "./start.ts";

await start(process.argv.slice(2), () => import("./process.ts"));
