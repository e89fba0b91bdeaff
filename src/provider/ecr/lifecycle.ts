import type { GetLifecyclePolicyPreviewResponse, LifecyclePolicyPreviewResult } from "@aws-sdk/client-ecr";
import { isDigest } from "../../oci/digest.ts";
import { RegistryError } from "../../oci/error.ts";
import { requireDocument } from "../../policy/lifecycle/check.ts";
import type { Call } from "../../store/store.ts";
import type { Clock } from "../../transport/clock.ts";
import { isAws } from "../aws/error.ts";
import { momentOf, tagsOf } from "../aws/images.ts";
import type { LifecycleMatch, LifecyclePolicy } from "../service.ts";
import type { Ecr } from "./api.ts";

export async function lifecycle(
  { sdk, ask, registry, host }: Ecr,
  name: string,
  call?: Call,
): Promise<LifecyclePolicy | undefined> {
  const question = { what: `read the lifecycle policy of ${host}/${name}`, action: "ecr:GetLifecyclePolicy" };
  const text = await ask(
    question,
    (options) =>
      sdk
        .getLifecyclePolicy({ ...registry, repositoryName: name }, options)
        .then(({ lifecyclePolicyText }) => lifecyclePolicyText, ignoring("LifecyclePolicyNotFoundException")),
    call,
  );
  return text === undefined ? undefined : { dialect: "ecr", document: parse(text, question.what, host) };
}

export async function setLifecycle(
  { sdk, ask, registry, host }: Ecr,
  name: string,
  document: unknown,
  call?: Call,
): Promise<LifecyclePolicy> {
  requireDocument("ecr", document);
  const question = { what: `set the lifecycle policy of ${host}/${name}`, action: "ecr:PutLifecyclePolicy" };
  const lifecyclePolicyText = JSON.stringify(document);
  await ask(
    question,
    (options) => sdk.putLifecyclePolicy({ ...registry, repositoryName: name, lifecyclePolicyText }, options),
    call,
  );
  return { dialect: "ecr", document };
}

/** Takes the policy away; where there is none, all is well. */
export async function deleteLifecycle({ sdk, ask, registry, host }: Ecr, name: string, call?: Call): Promise<void> {
  const question = { what: `delete the lifecycle policy of ${host}/${name}`, action: "ecr:DeleteLifecyclePolicy" };
  await ask(
    question,
    (options) =>
      sdk
        .deleteLifecyclePolicy({ ...registry, repositoryName: name }, options)
        .then(() => undefined, ignoring("LifecyclePolicyNotFoundException")),
    call,
  );
}

/** What AWS says that a policy would do, which it works out on its own machines in a while. */
export async function* previewLifecycle(
  ecr: Ecr,
  clock: Clock,
  name: string,
  { document, ...call }: Call & { readonly document?: unknown },
): AsyncGenerator<LifecycleMatch, void> {
  const { sdk, ask, pages, registry, host } = ecr;
  if (document !== undefined) requireDocument("ecr", document);
  const at = { ...registry, repositoryName: name };
  const what = `preview the lifecycle policy of ${host}/${name}`;
  await ask(
    { what, action: "ecr:StartLifecyclePolicyPreview" },
    (options) =>
      sdk.startLifecyclePolicyPreview(
        { ...at, ...(document !== undefined && { lifecyclePolicyText: JSON.stringify(document) }) },
        options,
      ),
    call,
  );
  await finished(ecr, clock, name, what, call);
  const question = { what, action: "ecr:GetLifecyclePolicyPreview" };
  const all = pages(
    question,
    (nextToken, options) =>
      sdk.getLifecyclePolicyPreview(
        { ...at, maxResults: previewPage, ...(nextToken !== undefined && { nextToken }) },
        options,
      ),
    call,
  );
  for await (const { previewResults = [] } of all) yield* previewResults.map(matchOf);
}

const previewPage = 100;
const pause = 2000;
const patience = 10 * 60_000;

/** Waits until the preview is there. */
async function finished(
  { sdk, ask, registry, host }: Ecr,
  clock: Clock,
  name: string,
  what: string,
  call: Call,
): Promise<void> {
  const question = { what, action: "ecr:GetLifecyclePolicyPreview" };
  const since = clock.now();
  for (;;) {
    const { status }: GetLifecyclePolicyPreviewResponse = await ask(
      question,
      (options) => sdk.getLifecyclePolicyPreview({ ...registry, repositoryName: name, maxResults: 1 }, options),
      call,
    );
    if (status === "COMPLETE") return;
    if (status !== "IN_PROGRESS") {
      const said = status === "EXPIRED" ? "it has expired" : "AWS could not work it out";
      throw new RegistryError("UNAVAILABLE", `cannot ${what}: ${said}`, { host, hint: "run it again" });
    }
    if (clock.now() - since > patience) {
      throw new RegistryError("TIMEOUT", `cannot ${what}: AWS is still at it after ${patience / 60_000} minutes`, {
        host,
      });
    }
    await clock.sleep(pause, call.signal);
  }
}

function matchOf(result: LifecyclePolicyPreviewResult): LifecycleMatch {
  const { imageDigest: digest, imageTags, imagePushedAt, action, appliedRulePriority: rule } = result;
  const pushed = momentOf(imagePushedAt);
  return {
    ...(digest !== undefined && isDigest(digest) && { digest }),
    tags: tagsOf(imageTags),
    ...(pushed !== undefined && { pushed }),
    action: action?.type === "TRANSITION" ? "archive" : action?.type === "EXPIRE" ? "delete" : "keep",
    ...(rule !== undefined && { rule: `rule ${rule}` }),
  };
}

function ignoring(name: string): (error: unknown) => undefined {
  return (error) => {
    if (!isAws(error, name)) throw error;
    return undefined;
  };
}

function parse(text: string, what: string, host: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new RegistryError("NETWORK", `cannot ${what}: AWS gave one that is no JSON`, { host });
  }
}
