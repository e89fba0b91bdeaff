import type { Digest } from "../../oci/digest.ts";
import { isAbsent } from "../../oci/error.ts";
import type { Call } from "../../store/store.ts";
import { protocolService } from "../protocol.ts";
import type { Provider, ServiceContext } from "../provider.ts";
import type { RepositoryInfo, ServiceRegistry } from "../service.ts";
import { imagesOf } from "./images.ts";

/** A registry of Gantry's own: the distribution API, and the inventory of a repository. */
export function gantryService(
  provider: Pick<Provider, "title" | "abilities">,
  context: ServiceContext,
): ServiceRegistry {
  return {
    ...protocolService(provider, context),
    describeRepository: (name, call) => describe(context, name, call),
    images: (name, call) => imagesOf(context, name, call),
  };
}

/** What a repository holds: bytes of all manifests and blobs, each once. */
async function describe(context: ServiceContext, name: string, call?: Call): Promise<RepositoryInfo | undefined> {
  const [tags, roots, parts] = [new Set<string>(), new Set<Digest>(), new Set<Digest>()];
  const sizes = new Map<Digest, number>();
  let updated: string | undefined;
  try {
    for await (const image of imagesOf(context, name, call)) {
      for (const tag of image.tags) tags.add(tag);
      for (const child of image.children ?? []) parts.add(child);
      if (image.digest && !image.subject) roots.add(image.digest);
      for (const { digest, size } of image.content ? [image.content, ...image.content.blobs] : [])
        sizes.set(digest, size);
      if (image.pushed !== undefined && image.pushed > (updated ?? "")) updated = image.pushed;
    }
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
  return {
    name,
    tags: tags.size,
    images: [...roots].filter((digest) => !parts.has(digest)).length,
    size: sizes.values().reduce((sum, size) => sum + size, 0),
    ...(updated !== undefined && { updated }),
  };
}
