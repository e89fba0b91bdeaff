import {
  choosePlatform,
  formatPlatform,
  hostPlatform,
  imageConfig,
  isIndexType,
  RegistryError,
  type Descriptor,
  type Digest,
  type ImageConfig,
  type Manifest,
  type Platform,
  type Store,
} from "../index.ts";

/** What one image manifest says, for people and programs to read. */
export interface ImageSummary {
  readonly platform?: string;
  readonly digest: Digest;
  readonly mediaType: string;
  readonly artifactType?: string;
  /** Bytes of manifest, config and layers. */
  readonly size: number;
  readonly created?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly user?: string;
  readonly workingDir?: string;
  readonly entrypoint?: readonly string[];
  readonly cmd?: readonly string[];
  readonly env?: readonly string[];
  readonly ports?: readonly string[];
  readonly layers: readonly LayerSummary[];
}

export interface LayerSummary {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly size: number;
  readonly createdBy?: string;
}

/** The manifest of a tag or digest, which has to be there: MANIFEST_UNKNOWN. */
export async function manifestOf(store: Store, ref: string, name: string, signal: AbortSignal): Promise<Manifest> {
  const manifest = await store.manifest(ref, { signal });
  if (manifest) return manifest;
  throw absent(name);
}

/** The error that says a tag or digest is not there. */
export function absent(name: string): RegistryError {
  const slash = name.indexOf("/");
  const host =
    slash > 0 && /[.:[]|^localhost$/.test(name.slice(0, slash)) && !/^(oci|oci-archive|docker-archive|dir):/.test(name);
  return new RegistryError(
    "MANIFEST_UNKNOWN",
    `${name} is not there`,
    host ? { host: name.slice(0, slash), status: 404 } : {},
  );
}

/** One image: the manifest itself, or of an index the one for a platform (this machine's, unless told). */
export async function oneImage(
  store: Store,
  root: Manifest,
  platform: Platform | undefined,
  signal: AbortSignal,
): Promise<Manifest> {
  if (!isIndexType(root.descriptor.mediaType)) return root;
  const images = root.manifests.filter(isImage);
  const found =
    choosePlatform(platform ?? hostPlatform(), images) ??
    (platform === undefined && images.length === 1 ? images[0] : undefined);
  if (found) return manifestOf(store, found.digest, `${store.name}@${found.digest}`, signal);
  const known = images.map(platformOf).filter((name) => name !== undefined);
  throw new RegistryError(
    "MANIFEST_UNKNOWN",
    `${store.name}@${root.descriptor.digest} has no image for ${formatPlatform(platform ?? hostPlatform())}`,
    {
      hint:
        known.length > 0
          ? `choose one with --platform: ${known.join(", ")}`
          : "none of its manifests says what it runs on",
    },
  );
}

/** The platform that a descriptor names; none for the attestations that BuildKit lists beside images. */
export function platformOf({ platform }: Descriptor): string | undefined {
  return platform && platform.os !== "unknown" ? formatPlatform(platform) : undefined;
}

/** Whether an index's entry is an image, not an attestation about one. */
export function isImage(entry: Descriptor): boolean {
  return entry.platform === undefined || entry.platform.os !== "unknown";
}

/** Sums up one image manifest; its config is read where it is an image's. */
export async function summarize(store: Store, manifest: Manifest, signal: AbortSignal): Promise<ImageSummary> {
  const { digest, mediaType, artifactType } = manifest.descriptor;
  const config = manifest.config ? (await imageConfig(store, manifest, { signal })).config : undefined;
  return {
    digest,
    mediaType,
    ...(!config && artifactType && { artifactType }),
    size: sizeOf([manifest]),
    ...(config && summarizeConfig(config)),
    layers: layersOf(manifest, config),
  };
}

/** Bytes of manifests and all their blobs, what they share counted once. */
export function sizeOf(manifests: readonly Manifest[]): number {
  const parts = manifests.flatMap((manifest) => [manifest.descriptor, ...manifest.blobs]);
  return new Map(parts.map(({ digest, size }) => [digest, size])).values().reduce((sum, size) => sum + size, 0);
}

function summarizeConfig({ os, architecture, variant, created, config }: ImageConfig): Partial<ImageSummary> {
  const ports = Object.keys(config?.ExposedPorts ?? {});
  return {
    ...(os && architecture && { platform: formatPlatform({ os, architecture, ...(variant && { variant }) }) }),
    ...(created && { created }),
    ...(config?.Labels && { labels: config.Labels }),
    ...(config?.User && { user: config.User }),
    ...(config?.WorkingDir && { workingDir: config.WorkingDir }),
    ...(config?.Entrypoint && { entrypoint: config.Entrypoint }),
    ...(config?.Cmd && { cmd: config.Cmd }),
    ...(config?.Env && { env: config.Env }),
    ...(ports.length > 0 && { ports }),
  };
}

function layersOf(manifest: Manifest, config: ImageConfig | undefined): LayerSummary[] {
  const steps = (config?.history ?? []).filter((step) => !step.empty_layer);
  const layers = manifest.blobs.filter((blob) => blob !== manifest.config);
  // History is optional and may tell another story: it is shown only where it has a step for each layer.
  return layers.map(({ digest, mediaType, size }, i) => {
    const createdBy = steps.length === layers.length ? steps[i]?.created_by : undefined;
    return { digest, mediaType, size, ...(createdBy && { createdBy }) };
  });
}
