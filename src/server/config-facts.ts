import { isImageConfig } from "../graph/config.ts";
import { isObject } from "../oci/descriptor.ts";
import type { Manifest } from "../oci/manifest.ts";
import { formatPlatform } from "../oci/platform.ts";
import { collect } from "../oci/stream.ts";
import type { Context } from "./context.ts";
import type { StoredManifest } from "./storage/storage.ts";

/** The most bytes of a config that is looked into. */
const configLimit = 256 * 1024;

/** What an image's config in this repository says that lists tell of it; nothing where it is large, or no such thing. */
export async function configFacts(
  repository: string,
  { config }: Manifest,
  { metadata, blobs, extension }: Context,
): Promise<Pick<StoredManifest, "created" | "platform">> {
  if (!extension || !config || !isImageConfig(config) || config.size > configLimit) return {};
  if ((await metadata.blob(repository, config.digest)) === undefined) return {};
  const found = await blobs.read(config.digest, config.size);
  if (!found) return {};
  const bytes = found instanceof Uint8Array ? found : await collect(found, configLimit, "the config");
  const { created, os, architecture, variant } = fieldsIn(bytes);
  const platform = isWord(os) && isWord(architecture) && { os, architecture, ...(isWord(variant) && { variant }) };
  return {
    ...(isMoment(created) && { created }),
    ...(platform && { platform: formatPlatform(platform) }),
  };
}

function fieldsIn(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

function isWord(value: unknown): value is string {
  return typeof value === "string" && /^[\w.-]{1,100}$/.test(value);
}

function isMoment(value: unknown): value is string {
  return typeof value === "string" && /^\d{4}-\d{2}-\d{2}T[\w:.+-]{1,40}$/.test(value);
}
