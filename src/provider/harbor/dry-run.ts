import { RegistryError } from "../../oci/error.ts";
import type { Call } from "../../store/store.ts";
import type { ServiceContext } from "../provider.ts";
import type { LifecycleMatch } from "../service.ts";
import type { Harbor } from "./api.ts";
import { countIn, textIn, type Fields } from "./fields.ts";
import { placeOf } from "./place.ts";
import { parseRetentionLog } from "./retention-log.ts";

/** Harbor answers these two as plain text, and refuses who does not take that. */
const plain: Readonly<Record<string, string>> = { accept: "text/plain" };
const patience = 15 * 60_000;

interface Run {
  readonly repository: string;
  /** The number of the retention policy. */
  readonly policy: number;
}

/** What a policy would delete in a repository: Harbor runs it over the whole project without deleting, and tells in a log. */
export async function* dryRun(
  context: ServiceContext,
  harbor: Harbor,
  run: Run,
  call: Call = {},
): AsyncGenerator<LifecycleMatch, void> {
  const { repository, policy } = run;
  const request = { ...call, what: `preview the retention policy of ${repository}` };
  const { headers } = await harbor.send("POST", `/retentions/${policy}/executions`, {
    ...request,
    body: { dry_run: true },
    headers: plain,
  });
  const [, execution] = /\/executions\/(\d{1,15})\/?$/.exec(headers["location"] ?? "") ?? [];
  if (execution === undefined) throw failed(context, run, "Harbor did not say which execution it began");
  const status = await ending(context, harbor, run, Number(execution), call);
  const path = `/retentions/${policy}/executions/${execution}/tasks`;
  const task = await findTask(harbor, path, placeOf(repository).name, request);
  if (!task && status === "Success") return;
  const ended = (task && textIn(task, "status")) ?? status;
  if (!task || ended !== "Success") throw failed(context, run, `its execution ended as ${ended}`);
  const { text = "" } = await harbor.send("GET", `${path}/${countIn(task, "id")}`, { ...request, headers: plain });
  const doomed = parseRetentionLog(text);
  const expected = (countIn(task, "total") ?? 0) - (countIn(task, "retained") ?? 0);
  if (doomed.length < expected) {
    context.onWarning?.(`the log of the dry run names ${doomed.length} images of ${repository}; ${expected} would go`);
  }
  yield* doomed;
}

/** Waits until an execution has ended, and gives its last status. There is no way to ask for one but in the list. */
async function ending(
  context: ServiceContext,
  harbor: Harbor,
  run: Run,
  execution: number,
  { signal }: Call,
): Promise<string> {
  const { clock } = context;
  const start = clock.now();
  for (let pause = 500; clock.now() - start < patience; pause = Math.min(pause * 2, 5000)) {
    await clock.sleep(pause, signal);
    const found = await findExecution(harbor, run, execution, signal);
    const status = (found && textIn(found, "status")) ?? "Pending";
    if (!/^(?:Pending|Scheduled|Running|InProgress)$/.test(status)) return status.replace(/^Succeed$/, "Success");
  }
  throw new RegistryError("TIMEOUT", `the dry run of ${run.repository} has not ended in ${patience / 60_000} minutes`, {
    host: context.host,
    hint: "its result will be in the project's policy: Tag Retention, dry run",
  });
}

async function findExecution(
  harbor: Harbor,
  { repository, policy }: Run,
  execution: number,
  signal: AbortSignal | undefined,
): Promise<Fields | undefined> {
  const what = `wait for the preview of ${repository}`;
  // The newest come first.
  for await (const page of harbor.lists(`/retentions/${policy}/executions`, { what, ...(signal && { signal }) })) {
    const found = page.find(({ id }) => id === execution);
    if (found) return found;
  }
  return undefined;
}

/** Each repository that a rule is for has one task; the project is not in its name. */
async function findTask(
  harbor: Harbor,
  path: string,
  name: string,
  request: Call & { readonly what: string },
): Promise<Fields | undefined> {
  for await (const page of harbor.lists(path, request)) {
    const found = page.find(({ repository }) => repository === name);
    if (found) return found;
  }
  return undefined;
}

function failed({ host }: ServiceContext, { repository }: Run, why: string): RegistryError {
  return new RegistryError("UNAVAILABLE", `cannot preview the retention policy of ${repository}: ${why}`, {
    host,
    hint: "see the project's policy: Tag Retention, and the health of Harbor's job service",
  });
}
