#!/usr/bin/env node
// Gantry as a credential helper of Docker and Podman: what these call by this name.
process.argv.splice(2, 0, "auth", "helper");
void import("./built.ts");
