import { isObject } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import { RegistryError } from "../../oci/error.ts";
import { isIndexType } from "../../oci/media-types.ts";
import { formatPlatform } from "../../oci/platform.ts";
import type { Call, Store } from "../../store/store.ts";
import { objectsIn, textOf } from "../answers.ts";
import type { Findings, Severity, Vulnerability } from "../service.ts";
import { repositoryPath, type Quay } from "./api.ts";

/** What Clair found in an image; of an index, in its first image for linux/amd64, or else in its first. */
export async function findings(
  quay: Quay,
  store: Store,
  repository: string,
  ref: string,
  call: Call = {},
): Promise<Findings> {
  const path = repositoryPath(repository);
  const { digest, of } = await imageOf(store, ref, call);
  const { status, data } = await quay.object(`${path}/manifest/${digest}/security`, {
    ...call,
    what: `read what was found in ${repository} ${ref}`,
    query: { vulnerabilities: "true" },
    absent: "MANIFEST_UNKNOWN",
  });
  const layer = isObject(data) && isObject(data["Layer"]) ? data["Layer"] : {};
  const vulnerabilities = objectsIn(layer["Features"]).flatMap((feature) =>
    objectsIn(feature["Vulnerabilities"]).flatMap((found) => vulnerabilityOf(found, feature) ?? []),
  );
  const note = [of && `of ${of}`, textOf(status)].filter(Boolean).join(": ");
  return {
    status: statuses[String(status)] ?? "failed",
    ...(note && { note }),
    scanner: "Clair",
    counts: countsOf(vulnerabilities),
    vulnerabilities,
  };
}

const statuses: Readonly<Record<string, Findings["status"]>> = {
  scanned: "complete",
  queued: "running",
  failed: "failed",
  unsupported: "unsupported",
  manifest_layer_too_large: "unsupported",
};

/** The manifest that is scanned: Quay scans images, not indexes. */
async function imageOf(
  store: Store,
  ref: string,
  call: Call,
): Promise<{ readonly digest: Digest; readonly of?: string }> {
  const manifest = await store.manifest(ref, call);
  if (!manifest) throw new RegistryError("MANIFEST_UNKNOWN", `${store.name} has no ${ref}`);
  const { digest, mediaType } = manifest.descriptor;
  if (!isIndexType(mediaType)) return { digest };
  const images = manifest.manifests.filter(({ platform }) => platform?.os !== "unknown");
  const named = images.map((image) => ({ image, name: image.platform ? formatPlatform(image.platform) : undefined }));
  const chosen = named.find(({ name }) => name === "linux/amd64") ?? named[0];
  if (!chosen) return { digest };
  return { digest: chosen.image.digest, of: chosen.name ?? chosen.image.digest };
}

const severities: Readonly<Record<string, Severity>> = {
  defcon1: "critical",
  critical: "critical",
  high: "high",
  medium: "medium",
  low: "low",
  negligible: "negligible",
};

function vulnerabilityOf(
  found: Readonly<Record<string, unknown>>,
  feature: Readonly<Record<string, unknown>>,
): Vulnerability | undefined {
  const id = textOf(found["Name"]);
  if (id === undefined) return undefined;
  const [name, installed] = [textOf(feature["Name"]), textOf(feature["Version"])];
  const [fixed, title] = [textOf(found["FixedBy"]), textOf(found["Description"])];
  const url = textOf(found["Link"])
    ?.split(/\s+/)
    .find((link) => /^https?:/.test(link) && URL.canParse(link));
  return {
    id,
    severity: severities[String(found["Severity"]).toLowerCase()] ?? "unknown",
    ...(name && { package: name }),
    ...(installed && { installed }),
    ...(fixed && { fixed }),
    ...(title && { title }),
    ...(url !== undefined && { url }),
  };
}

function countsOf(vulnerabilities: readonly Vulnerability[]): Findings["counts"] {
  const counts: Partial<Record<Severity, number>> = {};
  for (const { severity } of vulnerabilities) counts[severity] = (counts[severity] ?? 0) + 1;
  return counts;
}
