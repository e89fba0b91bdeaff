#!/usr/bin/env node
// The command line from its build: tsdown.config.ts says where its modules are.
import { join } from "node:path";
import { requireCached } from "./code-cache.ts";
import type * as Program from "./process.ts";
import { start } from "./start.ts";

const words = process.argv.slice(2);
const [command = ""] = words;
const help = words.some((word) => word === "--help" || word === "-h");
// Words that are no command's name are the user's, and no end to them.
const use = help || !/^[a-z]+$/.test(command) ? "help" : command;

void start(words, () => requireCached(join(import.meta.dirname, "cli", "process.cjs"), use) as typeof Program);
