#!/usr/bin/env node
// Gantry as a credential helper of Docker and Podman: what these call by this name.
import { enableCompileCache } from "node:module";

enableCompileCache();
const { runAsProcess } = await import("./process.ts");
await runAsProcess(["auth", "helper", ...process.argv.slice(2)]);
