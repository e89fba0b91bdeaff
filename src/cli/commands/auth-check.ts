import { apiHost, parseReference, RegistryError, traceCredentials, validateCredential } from "../../index.ts";
import type { Run } from "../command.ts";
import { hostOf } from "../host-or-image.ts";

export const run: Run<[place: string]> = async ([place], { client, out, signal }) => {
  const bare = place.replace(/^docker:\/\//, "");
  const named = hostOf(bare);
  const { registry: host, repository } = parseReference(named === undefined ? bare : `${named}/x/y`);
  const path = named === undefined ? repository : "";
  const { admission } = await client({ from: [place] });
  const { sources, credential } = await traceCredentials(admission.credentials, apiHost(host), path, signal);
  const failed = sources.find(({ error }) => error)?.error;
  if (failed) throw failed;
  if (!credential) {
    throw new RegistryError("UNAUTHORIZED", `there is no login for ${host}`, { host, hint: `log in to ${host}` });
  }
  const { scheme } = await validateCredential(admission, host, credential, { signal });
  const { kind, origin } = credential;
  const result = {
    registry: host,
    kind,
    ...(credential.kind === "basic" && { username: credential.username }),
    ...(origin !== undefined && { origin }),
    needed: scheme !== "none",
  };
  await out.print(result, ({ needed }) =>
    needed ? `${host} accepts ${origin}\n` : `${host} lets everybody in, and does not look at ${origin}\n`,
  );
};
