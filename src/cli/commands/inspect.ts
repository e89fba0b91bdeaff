import { isIndexType, mediaTypes, type Digest } from "../../index.ts";
import type { Run } from "../command.ts";
import { isImage, manifestOf, oneImage, platformOf, sizeOf, summarize, type ImageSummary } from "../image.ts";
import { onePlatform } from "../options.ts";
import { fields, table } from "../render/table.ts";
import { count, formatMoment, formatSize, paint, type Look } from "../render/text.ts";

interface Inspection {
  readonly name: string;
  readonly digest: Digest;
  readonly mediaType: string;
  /** Bytes of all of it, what its images share counted once. */
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly images: readonly ImageSummary[];
}

export const run: Run<[reference: string]> = async ([reference], { get, open, out, signal }) => {
  const { store, ref, name } = await open(reference, "pull");
  const top = await manifestOf(store, ref, name, signal);
  const platform = get(onePlatform);
  const root = platform ? await oneImage(store, top, platform, signal) : top;
  const entries = root.manifests.filter(isImage);
  const manifests = await Promise.all(
    entries.map((entry) => manifestOf(store, entry.digest, `${store.name}@${entry.digest}`, signal)),
  );
  const images = await Promise.all(
    manifests.map(async (manifest, i): Promise<ImageSummary> => {
      if (isIndexType(manifest.descriptor.mediaType))
        return {
          digest: manifest.descriptor.digest,
          mediaType: manifest.descriptor.mediaType,
          size: sizeOf([manifest]),
          layers: [],
        };
      const listed = platformOf(entries[i]!);
      return { ...(await summarize(store, manifest, signal)), ...(listed && { platform: listed }) };
    }),
  );
  const { digest, mediaType, annotations } = root.descriptor;
  const single = isIndexType(mediaType) ? [] : [await summarize(store, root, signal)];
  const inspection: Inspection = {
    name,
    digest,
    mediaType,
    size: sizeOf([root, ...manifests]),
    ...(annotations && { annotations }),
    images: [...single, ...images],
  };
  await out.print(inspection, inspectionText);
};

function inspectionText({ name, digest, mediaType, size, annotations, images }: Inspection, look: Look): string {
  const first = images[0];
  const many = images.length > 1;
  return [
    fields(
      [
        ["Name", name],
        ["Digest", digest],
        ["Type", typeName(mediaType, first?.artifactType)],
        ["Size", formatSize(size)],
        ["Platform", many ? undefined : first?.platform],
        ["Created", formatMoment(first?.created)],
        ["User", first?.user],
        ["Directory", first?.workingDir],
        ["Entrypoint", first?.entrypoint && JSON.stringify(first.entrypoint)],
        ["Command", first?.cmd && JSON.stringify(first.cmd)],
        ["Ports", first?.ports?.join(", ")],
      ],
      look,
    ),
    section("Environment", list(first?.env), look),
    section("Labels", pairs(first?.labels, look), look),
    section("Annotations", pairs(annotations, look), look),
    many ? `\n${imageTable(images, look)}` : "",
    !many && first && first.layers.length > 0 ? `\n${layerTable(first, look)}` : "",
  ].join("");
}

function section(title: string, body: string, look: Look): string {
  return body && `\n${paint(look, "bold", title)}\n${body}`;
}

function list(items: readonly string[] | undefined): string {
  return (items ?? []).map((item) => fields([["", item]], { color: false })).join("");
}

function pairs(map: Readonly<Record<string, string>> | undefined, look: Look): string {
  return fields(Object.entries(map ?? {}), { ...look, color: false }, "  ");
}

function imageTable(images: readonly ImageSummary[], look: Look): string {
  return table(
    images,
    [
      { title: "PLATFORM", value: (image) => image.platform ?? "-" },
      { title: "DIGEST", value: (image) => image.digest },
      { title: "SIZE", value: (image) => formatSize(image.size), right: true },
      { title: "LAYERS", value: (image) => String(image.layers.length), right: true },
      { title: "CREATED", value: (image) => formatMoment(image.created) },
    ],
    look,
  );
}

function layerTable({ layers }: ImageSummary, look: Look): string {
  const told = layers.some((layer) => layer.createdBy);
  return table(
    layers,
    [
      { title: count(layers.length, "LAYER", "LAYERS"), value: (layer) => layer.digest },
      { title: "SIZE", value: (layer) => formatSize(layer.size), right: true },
      ...(told
        ? [{ title: "CREATED BY", value: (layer: ImageSummary["layers"][number]) => layer.createdBy ?? "" }]
        : []),
    ],
    look,
  );
}

const typeNames: Readonly<Record<string, string>> = {
  [mediaTypes.ociIndex]: "OCI index",
  [mediaTypes.ociManifest]: "OCI image",
  [mediaTypes.dockerIndex]: "Docker manifest list",
  [mediaTypes.dockerManifest]: "Docker image",
};

function typeName(mediaType: string, artifactType: string | undefined): string {
  return artifactType ? `artifact, ${artifactType}` : (typeNames[mediaType] ?? mediaType);
}
