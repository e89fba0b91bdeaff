import { check, type CheckResult } from "../../index.ts";
import type { Run } from "../command.ts";
import { deep, jobs, referrers, repairFrom } from "../options.ts";
import { table } from "../render/table.ts";
import { count, formatSize, type Look } from "../render/text.ts";

type Checked = CheckResult & { readonly name: string };

export const run: Run<[reference: string]> = async ([reference], { get, client, out, signal }) => {
  const spareName = get(repairFrom);
  const places = await client({ from: spareName === undefined ? [reference] : [reference, spareName] });
  const { store, name, ...opened } = places.open(reference);
  const ref = await places.resolve({ store, name, ...opened }, { signal });
  const number = get(jobs);
  const result = await check(store, ref, {
    signal,
    deep: get(deep),
    referrers: get(referrers),
    ...(number !== undefined && { jobs: number }),
    ...(spareName !== undefined && { repairFrom: places.open(spareName, "pull").store }),
  });
  await out.print({ name, ...result }, checkText);
  return result.findings.length > 0 ? "failed" : "done";
};

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
