import type { CopyOutcome, CopyResult } from "../../index.ts";
import { count, formatSize, formatSpan, plain } from "./text.ts";

/** What a copy did, or with `dryRun` would do: the image and its digest, and one line on how it got there. */
export function outcomeText({ images, bytes, ms }: CopyOutcome, dryRun: boolean): string {
  if (images.length === 0) return "";
  const sizes = dryRun ? `${formatSize(bytes)} to send` : `${formatSize(bytes)} in ${formatSpan(ms)}`;
  const [only, second] = images;
  const name = only && !second ? `${plain(only.to)}@${only.digest}\n` : "";
  return `${name}${verdict(images, dryRun)}${contents(images, dryRun)}; ${sizes}\n`;
}

function verdict(images: readonly CopyResult[], dryRun: boolean): string {
  const by = (name: CopyResult["outcome"]): number => images.filter((image) => image.outcome === name).length;
  const copied = dryRun ? "would copy" : "copied";
  if (images.length === 1) {
    if (by("kept") > 0) return "left alone: the tag is there";
    return by("unchanged") > 0 ? "unchanged" : copied;
  }
  const parts = [
    by("copied") > 0 && `${copied} ${count(by("copied"), "image")}`,
    by("unchanged") > 0 && `${by("unchanged")} unchanged`,
    by("kept") > 0 && `${by("kept")} left alone`,
  ];
  return parts.filter(Boolean).join(", ");
}

/** What the images consist of, and how each part got there. */
function contents(images: readonly CopyResult[], dryRun: boolean): string {
  const sum = (of: (image: CopyResult) => number): number => images.reduce((total, image) => total + of(image), 0);
  const manifests = sum((image) => image.manifests);
  const attached = sum((image) => image.referrers + image.digestTags);
  const [written, mounted, exists] = [
    sum((i) => i.blobs.written),
    sum((i) => i.blobs.mounted),
    sum((i) => i.blobs.exists),
  ];
  const ways = [
    written > 0 && `${written} ${dryRun ? "to send" : "sent"}`,
    mounted > 0 && `${mounted} ${dryRun ? "to mount" : "mounted"}`,
    exists > 0 && `${exists} there already`,
  ];
  const parts = [
    manifests > 0 && `${count(manifests, "manifest")}${attached > 0 ? ` (${attached} attached)` : ""}`,
    written + mounted + exists > 0 &&
      `${count(written + mounted + exists, "blob")} (${ways.filter(Boolean).join(", ")})`,
  ].filter(Boolean);
  return parts.length > 0 ? `: ${parts.join(", ")}` : "";
}
