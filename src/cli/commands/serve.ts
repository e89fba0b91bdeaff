import { join } from "node:path";
import { once } from "node:events";
import { readKeyPair, RegistryError, type KeyPair } from "../../index.ts";
import { createRegistry, diskStorage, htpasswdAccess, type ServerEvent } from "../../server/index.ts";
import type { Cli } from "../cli.ts";
import type { Run } from "../command.ts";
import * as options from "../options.ts";
import { formatSpan, plain } from "../render/text.ts";

export const run: Run<[]> = async (_, cli) => {
  const { get, signal, reporter } = cli;
  const data = get(options.data);
  if (data === undefined)
    throw new RegistryError("INVALID", "the registry needs a directory for its data", { hint: "say --data DIR" });
  const tls = tlsFiles(get(options.tlsCert), get(options.tlsKey));
  const file = get(options.htpasswd);
  if (get(options.anonymousPull) && file === undefined) {
    throw new RegistryError("INVALID", "--anonymous-pull goes with --htpasswd: without users, anybody may do anything");
  }
  const registry = createRegistry({
    storage: diskStorage(data),
    readOnly: get(options.readOnly),
    ...(file !== undefined && {
      access: htpasswdAccess({ file, anonymousPull: get(options.anonymousPull), keyFile: join(data, "token-key") }),
    }),
    onEvent: (event) => tell(event, cli),
  });
  try {
    const { host, port } = get(options.listen) ?? { host: "127.0.0.1", port: 5000 };
    const { url } = await registry.listen({ host, port, open: get(options.open), ...(tls && { tls }) });
    reporter.say(`listening on ${url}, data in ${data}${get(options.readOnly) ? ", read-only" : ""}`);
    reporter.advise(waysIn(url, get(options.readOnly)));
    if (!signal.aborted) await once(signal, "abort");
    reporter.say("stopping");
  } finally {
    await registry.close();
  }
};

/** How images get in, and how to see them. */
function waysIn(url: string, readOnly: boolean): string {
  const host = url.replace(/^https?:\/\//, "");
  return readOnly ? `see what is there: gantry ls ${host}` : `push to it: gantry copy IMAGE ${host}/NAME:TAG`;
}

function tlsFiles(cert: string | undefined, key: string | undefined): KeyPair | undefined {
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined)
    throw new RegistryError("INVALID", "--tls-cert and --tls-key go together");
  return readKeyPair(cert, key);
}

/** Damage and failures always; with --verbose a line for each request and change. */
function tell(event: ServerEvent, { get, reporter }: Cli): void {
  if (event.type === "damaged")
    reporter.say(`damaged: blob ${event.digest} of ${plain(event.repository)}: push it again to heal it`);
  if (event.type === "failed")
    reporter.say(`failed: ${event.method} ${plain(event.target)}: ${plain(reasonOf(event.error))}`);
  if (event.type !== "request" || !get(options.verbose)) return;
  const { method, target, status, milliseconds, user = "-", remote = "-" } = event;
  reporter.say(
    `${new Date().toISOString()} ${remote} ${plain(user)} ${method} ${plain(target)} ${status} ${formatSpan(milliseconds)}`,
  );
}

/** What went wrong, down to its cause: the log says more than the answer to a stranger. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${reasonOf(error.cause)}`;
}
