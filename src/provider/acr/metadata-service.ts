import { readFile } from "node:fs/promises";
import { isObject } from "../../oci/descriptor.ts";
import { collect } from "../../oci/stream.ts";
import { aborted } from "../../transport/clock.ts";
import type { CredentialContext } from "../provider.ts";
import { metadataService } from "./managed-identity.ts";

const endpoint = new URL("/metadata/identity/oauth2/token", metadataService);
/** The longest that a machine outside of Azure is kept waiting, in milliseconds. */
const patience = 1000;

/** Where Linux says who made the machine, and what it says of all that Hyper-V runs, which Azure's machines are among. */
const chassisTag = "/sys/class/dmi/id/chassis_asset_tag";
const hyperV = "7783-7084-3265-9085-8269-3286-77";

/**
 * Whether Azure's instance metadata service answers here. It is not asked where the machine itself says that it is none
 * of Azure's, unless the environment names an identity; and never waited for longer than a second.
 */
export async function hasMetadataService({ env, transport, clock }: CredentialContext): Promise<boolean> {
  const isWanted = env["AZURE_CLIENT_ID"] || env["AZURE_TOKEN_CREDENTIALS"];
  if (!isWanted && (await isElsewhere())) return false;
  const stop = new AbortController();
  const late = clock.sleep(patience, stop.signal).then(
    () => false,
    () => false,
  );
  try {
    return await Promise.race([answers(transport, stop.signal), late]);
  } finally {
    stop.abort(aborted());
  }
}

async function isElsewhere(): Promise<boolean> {
  if (process.platform === "darwin") return true;
  const tag = await readFile(chassisTag, "utf8").catch(() => hyperV);
  return tag.trim() !== hyperV;
}

/** Asks without the header that it wants, which it is quick to refuse; a proxy or portal in between says something else. */
async function answers(transport: CredentialContext["transport"], signal: AbortSignal): Promise<boolean> {
  try {
    const response = await transport({
      method: "GET",
      url: endpoint,
      headers: {},
      anonymous: true,
      brief: true,
      signal,
    });
    const text = new TextDecoder().decode(await collect(response.body, 16 * 1024));
    return response.status === 400 && /metadata/i.test(text) && isObject(JSON.parse(text));
  } catch {
    return false;
  }
}
