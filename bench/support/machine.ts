import { cpus, totalmem } from "node:os";
import { peer, type PeerName } from "../../e2e/support/peers.ts";
import { run } from "../../e2e/support/run.ts";

const versionArgs: Readonly<Partial<Record<PeerName, readonly string[]>>> = {
  skopeo: ["--version"],
  crane: ["version"],
  regctl: ["version", "--format", "{{.VCSTag}}"],
  "docker-registry": ["--version"],
};

/** What was measured on and beside, for the line below a table. */
export async function machine(): Promise<string> {
  const [cpu] = cpus();
  const hardware = `${cpus().length} x ${cpu?.model.trim() ?? "unknown CPU"}, ${Math.round(totalmem() / 2 ** 30)} GiB`;
  const peers = Object.entries(versionArgs).map(([name, args]) => versionOf(name as PeerName, args ?? []));
  const programs = [`Node ${process.version}`, ...(await Promise.all(peers)).flat()];
  return `${new Date().toISOString().slice(0, 10)}, ${hardware}; ${programs.join(", ")}`;
}

async function versionOf(name: PeerName, args: readonly string[]): Promise<readonly string[]> {
  const found = peer(name);
  if (!found) return [];
  const { stdout, stderr } = await run(found.path, args);
  return [`${name} ${/\d+\.\d+\.\d+[^\s,]*/.exec(stdout + stderr)?.[0] ?? "of unknown version"}`];
}
