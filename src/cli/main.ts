#!/usr/bin/env node
import { enableCompileCache } from "node:module";
import { version } from "../version.ts";

const words = process.argv.slice(2);
if (words.length === 1 && ["version", "--version", "-V"].includes(words[0]!)) {
  process.stdout.write(`gantry ${version}\n`);
} else {
  enableCompileCache();
  const { runAsProcess } = await import("./process.ts");
  await runAsProcess(words);
}
