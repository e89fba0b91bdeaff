import { check, isAbsent, isRegistryError, type CheckResult, type Digest, type Opened } from "../../index.ts";
import type { Run } from "../command.ts";
import { deep, jobs, referrers, repairFrom } from "../options.ts";
import { table } from "../render/table.ts";
import { count, formatSize, plain, type Look } from "../render/text.ts";

type Checked = CheckResult & { readonly name: string };

export const run: Run<[reference: string]> = async ([reference], { get, client, out, reporter, signal }) => {
  const spareName = get(repairFrom);
  const places = await client({ from: spareName === undefined ? [reference] : [reference, spareName] });
  const { store, name, ...opened } = places.open(reference);
  const ref = await places.resolve({ store, name, ...opened }, { signal });
  const spare = spareName === undefined ? undefined : places.open(spareName, "pull");
  const number = get(jobs);
  const result = await check(store, ref, {
    signal,
    deep: get(deep),
    referrers: get(referrers),
    ...(number !== undefined && { jobs: number }),
    ...(spare && { repairFrom: spare.store }),
  });
  const lack = spare && (await lackOf(spare, result.digest, signal));
  if (lack) reporter.say(plain(`warning: --repair-from ${spareName}${lack}`));
  await out.print({ name, ...result }, checkText);
  return result.findings.length > 0 ? "failed" : "done";
};

/** Why a copy is of no use to repair an image from; undefined where it has the image. */
async function lackOf({ store, ref }: Opened, image: Digest, signal: AbortSignal): Promise<string | undefined> {
  try {
    if (ref !== undefined && !(await store.head(ref, { signal }))) return " is not there";
    return (await store.head(image, { signal })) ? undefined : ` has no copy of this image: it does not have ${image}`;
  } catch (error) {
    if (signal.aborted || !isRegistryError(error)) throw error;
    const { message } = error;
    return isAbsent(error) ? " is not there" : `: ${message}`;
  }
}

function checkText({ name, digest, manifests, blobs, bytes, findings, repaired }: Checked, look: Look): string {
  const seen = `${count(manifests, "manifest")}, ${count(blobs, "blob")}, ${formatSize(bytes)}`;
  const mended = repaired.length > 0 ? `, ${repaired.length} of them repaired` : "";
  if (findings.length === 0) return `${name}@${digest}: whole: ${seen}${mended}\n`;
  const list = table(
    findings,
    [
      { title: "WHERE", value: (finding) => finding.path || "the image itself" },
      { title: "FAULT", value: (finding) => finding.fault },
      { title: "KIND", value: (finding) => finding.kind },
      { title: "DIGEST", value: (finding) => finding.digest },
    ],
    look,
  );
  return `${name}@${digest}: ${count(findings.length, "fault")} in ${seen}${mended}\n${list}`;
}
