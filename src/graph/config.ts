import { isObject, type Descriptor } from "../oci/descriptor.ts";
import { RegistryError } from "../oci/error.ts";
import type { Manifest } from "../oci/manifest.ts";
import { mediaTypes } from "../oci/media-types.ts";
import type { Platform } from "../oci/platform.ts";
import { collect } from "../oci/stream.ts";
import type { Call, Source } from "../store/store.ts";
import { nameOf } from "./sides.ts";

/** The most an image's configuration may weigh, in bytes. */
const configLimit = 8 * 1024 * 1024;

/** An image's configuration as image-spec has it ("Image Configuration"); everything in it may be missing. */
export interface ImageConfig {
  readonly os?: string;
  readonly architecture?: string;
  readonly variant?: string;
  readonly created?: string;
  readonly author?: string;
  readonly config?: {
    readonly Labels?: Readonly<Record<string, string>> | null;
    readonly Env?: readonly string[] | null;
    readonly Entrypoint?: readonly string[] | null;
    readonly Cmd?: readonly string[] | null;
    readonly User?: string;
    readonly WorkingDir?: string;
    readonly ExposedPorts?: Readonly<Record<string, unknown>> | null;
    readonly Volumes?: Readonly<Record<string, unknown>> | null;
  };
  readonly rootfs?: { readonly type?: string; readonly diff_ids?: readonly string[] };
  readonly history?: readonly {
    readonly created?: string;
    readonly created_by?: string;
    readonly empty_layer?: boolean;
    readonly comment?: string;
  }[];
}

export interface ImageConfigFile {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
  /** Undefined where the config is no image's: an artifact's may be anything. */
  readonly config?: ImageConfig;
}

/** Reads a manifest's config blob. Throws UNSUPPORTED for an index, MANIFEST_INVALID where an image's config is no JSON object. */
export async function imageConfig(
  from: Source,
  manifest: Pick<Manifest, "descriptor" | "config">,
  call?: Call,
): Promise<ImageConfigFile> {
  const { config: descriptor } = manifest;
  const name = nameOf(from, manifest.descriptor.digest);
  if (!descriptor) {
    throw new RegistryError("UNSUPPORTED", `${name} is an index and has no config of its own`, {
      hint: "choose one of its images with --platform",
    });
  }
  const stream = await from.blob(descriptor.digest, { ...call, size: descriptor.size });
  const bytes = await collect(stream, configLimit, `the config of ${name}`);
  if (!isImageConfig(descriptor)) return { descriptor, bytes };
  try {
    const config: unknown = JSON.parse(Buffer.from(bytes).toString("utf8"));
    if (isObject(config)) return { descriptor, bytes, config };
  } catch {
    // Said below.
  }
  throw new RegistryError("MANIFEST_INVALID", `the config of ${name} is not a JSON object`);
}

/** What an image runs on, by its config; undefined for an index or an artifact. */
export async function imagePlatform(from: Source, manifest: Manifest, call?: Call): Promise<Platform | undefined> {
  if (!manifest.config || !isImageConfig(manifest.config)) return undefined;
  const { config } = await imageConfig(from, manifest, call);
  if (!config?.os || !config.architecture) return undefined;
  return { os: config.os, architecture: config.architecture, ...(config.variant && { variant: config.variant }) };
}

/** Whether it points at an image's configuration, rather than at an artifact's. */
export function isImageConfig(descriptor: Descriptor): boolean {
  return descriptor.mediaType === mediaTypes.ociConfig || descriptor.mediaType === mediaTypes.dockerConfig;
}
