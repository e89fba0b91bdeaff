import { isDigest, type Digest } from "../../oci/digest.ts";
import { isIndexType } from "../../oci/media-types.ts";
import { formatPlatform, type Platform } from "../../oci/platform.ts";
import { isTag } from "../../oci/reference.ts";
import { RegistryError } from "../../oci/error.ts";
import type { Call, Store } from "../../store/store.ts";
import { deleteEach } from "../protocol.ts";
import type { ImageInfo, ServiceRegistry } from "../service.ts";
import type { Harbor, OpenHarbor } from "./api.ts";
import { countIn, defined, fieldsIn, momentIn, objects, textIn, type Fields } from "./fields.ts";
import { repositoryPath } from "./place.ts";

type Images = Pick<ServiceRegistry, "images" | "deleteTag" | "deleteManifests">;

/** What Harbor calls artifacts. Takes tags away by its API: a DELETE of the distribution API refuses them. */
export function harborImages(open: OpenHarbor): Images {
  return {
    images: (repository, call) => images(open, repository, call),
    deleteTag: (repository, tag, call) => deletions(open, repository).deleteTag(tag, call),
    deleteManifests: (repository, digests, call) => deleteEach(deletions(open, repository), digests, call),
  };
}

/** The deletions of a repository, as its store has them. */
export function deletions(open: OpenHarbor, repository: string): Pick<Store, "deleteTag" | "deleteManifest"> {
  const harbor = open(repository, "the role of a maintainer, or a robot that may delete tags and artifacts");
  return {
    deleteTag: (tag, call) => deleteTag(harbor, repository, tag, call),
    deleteManifest: (digest, call) => deleteManifest(harbor, repository, digest, call),
  };
}

/** The path of an image; throws INVALID for what is neither tag nor digest. */
export function imagePath(repository: string, ref: string): string {
  if (!isTag(ref) && !isDigest(ref)) {
    throw new RegistryError("INVALID", `${JSON.stringify(ref)} is neither a tag nor a digest`);
  }
  return `${repositoryPath(repository)}/artifacts/${ref}`;
}

/** Images, each with what is attached to it after it. */
async function* images(open: OpenHarbor, repository: string, call: Call = {}): AsyncGenerator<ImageInfo, void> {
  const pages = open(repository).lists(`${repositoryPath(repository)}/artifacts`, {
    ...call,
    what: `list the images of ${repository}`,
    query: { with_tag: "true", with_immutable_status: "true", with_accessory: "true" },
  });
  for await (const page of pages) {
    for (const artifact of page) {
      const image = imageInfo(artifact);
      if (!image) continue;
      yield image;
      for (const accessory of objects(artifact["accessories"])) {
        const attached = accessoryInfo(accessory);
        if (attached) yield attached;
      }
    }
  }
}

function digestIn(fields: Fields, name: string): Digest | undefined {
  const digest = textIn(fields, name);
  return digest !== undefined && isDigest(digest) ? digest : undefined;
}

function imageInfo(artifact: Fields): ImageInfo | undefined {
  const digest = digestIn(artifact, "digest");
  if (digest === undefined) return undefined;
  const tags = objects(artifact["tags"]).filter(({ name }) => typeof name === "string" && isTag(name));
  const children = objects(artifact["references"]);
  const mediaType = textIn(artifact, "manifest_media_type");
  const size = countIn(artifact, "size");
  return defined<ImageInfo>({
    digest,
    tags: tags.map(({ name }) => name as string),
    pushed: momentIn(artifact, "push_time"),
    pulled: momentIn(artifact, "pull_time"),
    created: momentIn(fieldsIn(artifact, "extra_attrs"), "created"),
    size,
    sizeKind:
      size === undefined
        ? undefined
        : mediaType !== undefined && isIndexType(mediaType)
          ? "children, shared counted twice"
          : "manifest",
    platforms: listed(platformsOf(artifact, children)),
    mediaType,
    artifactType: artifactTypeOf(artifact),
    children: listed(children.flatMap((child) => digestIn(child, "child_digest") ?? [])),
    immutable: tags.some(({ immutable }) => immutable === true) || undefined,
  });
}

function listed<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length > 0 ? list : undefined;
}

/** Those of an index's children; an image says its own with what Harbor took from its config. */
function platformsOf(artifact: Fields, children: readonly Fields[]): readonly string[] {
  const named =
    children.length > 0 ? children.map((child) => fieldsIn(child, "platform")) : [fieldsIn(artifact, "extra_attrs")];
  return named.flatMap((fields) => {
    const { os, architecture, variant } = defined<Partial<Platform>>({
      os: textIn(fields, "os"),
      architecture: textIn(fields, "architecture"),
      variant: textIn(fields, "variant"),
    });
    if (!os || !architecture || os === "unknown") return [];
    return [formatPlatform({ os, architecture, ...(variant && { variant }) })];
  });
}

/** Harbor puts the type of the config where a manifest has no type of its own. */
function artifactTypeOf(artifact: Fields): string | undefined {
  const type = textIn(artifact, "artifact_type");
  const isImage =
    type !== undefined &&
    /^application\/vnd\.(?:docker\.container\.image\.v1|oci\.image\.config\.v1)\+json$/.test(type);
  return isImage ? undefined : type;
}

function accessoryInfo(accessory: Fields): ImageInfo | undefined {
  const digest = digestIn(accessory, "digest");
  const subject = digestIn(accessory, "subject_artifact_digest");
  if (digest === undefined || subject === undefined) return undefined;
  return defined<ImageInfo>({
    digest,
    tags: [],
    subject,
    pushed: momentIn(accessory, "creation_time"),
    size: countIn(accessory, "size"),
    sizeKind: countIn(accessory, "size") === undefined ? undefined : "manifest",
  });
}

/** A DELETE of the artifact itself, by its tag too, would take all of its tags: this one takes the tag alone. */
async function deleteTag(harbor: Harbor, repository: string, tag: string, call: Call = {}): Promise<void> {
  if (!isTag(tag)) throw new RegistryError("INVALID", `${JSON.stringify(tag)} is no tag`);
  await harbor.send("DELETE", `${imagePath(repository, tag)}/tags/${tag}`, {
    ...call,
    what: `delete the tag ${repository}:${tag}`,
    absent: "MANIFEST_UNKNOWN",
  });
}

async function deleteManifest(harbor: Harbor, repository: string, digest: Digest, call: Call = {}): Promise<void> {
  if (!isDigest(digest)) throw new RegistryError("INVALID", `${JSON.stringify(digest)} is no digest`);
  await harbor.send("DELETE", imagePath(repository, digest), {
    ...call,
    what: `delete ${repository}@${digest}`,
    absent: "MANIFEST_UNKNOWN",
  });
}
