import { isDeepStrictEqual } from "node:util";
import { isObject } from "../../oci/descriptor.ts";
import { RegistryError } from "../../oci/error.ts";
import { requireDocument } from "../../policy/lifecycle/check.ts";
import type { Call } from "../../store/store.ts";
import type { ServiceContext } from "../provider.ts";
import type { LifecyclePolicy, ServiceRegistry } from "../service.ts";
import type { Harbor, OpenHarbor } from "./api.ts";
import { dryRun } from "./dry-run.ts";
import { countIn, fieldsIn, textIn, type Fields } from "./fields.ts";
import { placeOf, repositoryPath } from "./place.ts";
import { findProject, readProject } from "./project.ts";

type Lifecycle = Pick<ServiceRegistry, "lifecycle" | "setLifecycle" | "deleteLifecycle" | "previewLifecycle">;

const needs = "the role of a developer in the project";

/** Tag retention: one policy for all repositories of a project, whose rules say which of them they are for. */
export function harborRetention(context: ServiceContext, open: OpenHarbor): Lifecycle {
  return {
    async lifecycle(repository, call) {
      const { project } = placeOf(repository);
      const harbor = open(repository, needs);
      const fields = await findProject(harbor, project, call);
      const id = fields && retentionId(fields);
      return id === undefined ? undefined : readPolicy(harbor, project, id, call);
    },
    setLifecycle: (repository, document, call) => setPolicy(open(repository, needs), repository, document, call),
    async deleteLifecycle(repository, call) {
      const { project } = placeOf(repository);
      const harbor = open(repository, needs);
      const id = retentionId(await readProject(harbor, project, call));
      if (id === undefined) throw noPolicy(project);
      await harbor.send("DELETE", `/retentions/${id}`, {
        ...call,
        what: `remove the retention policy of project ${project}`,
      });
    },
    async *previewLifecycle(repository, document, call) {
      const { project } = placeOf(repository);
      repositoryPath(repository);
      const harbor = open(repository, needs);
      const id = retentionId(await readProject(harbor, project, call));
      if (document !== undefined) await requireSet(harbor, project, id, document, call);
      if (id === undefined) throw noPolicy(project);
      yield* dryRun(context, harbor, { repository, policy: id }, call);
    },
  };
}

function scopeOf(project: string): string {
  return `project ${project}`;
}

function noPolicy(project: string): RegistryError {
  return new RegistryError("NAME_UNKNOWN", `project ${project} has no retention policy`);
}

function retentionId(project: Fields): number | undefined {
  const id = textIn(fieldsIn(project, "metadata"), "retention_id");
  return id !== undefined && /^[1-9]\d{0,14}$/.test(id) ? Number(id) : undefined;
}

async function readPolicy(
  harbor: Harbor,
  project: string,
  id: number,
  call: Call = {},
): Promise<LifecyclePolicy | undefined> {
  const { status, body } = await harbor.send("GET", `/retentions/${id}`, {
    ...call,
    what: `read the retention policy of project ${project}`,
    accept: [200, 404],
  });
  return status === 404 ? undefined : { dialect: "harbor", document: body, scope: scopeOf(project) };
}

/** Its number and its project are not the document's to say: it may come from another project. */
async function setPolicy(
  harbor: Harbor,
  repository: string,
  document: unknown,
  call: Call = {},
): Promise<LifecyclePolicy> {
  requireDocument("harbor", document);
  const { project } = placeOf(repository);
  if (isObject(document) && "retention" in document) {
    throw new RegistryError(
      "INVALID",
      "this is a retention policy with immutability rules, and Harbor sets each by itself",
      {
        hint: "set what stands under retention; and the rules with `gantry immutability set`",
      },
    );
  }
  const fields = await readProject(harbor, project, call);
  const ref = countIn(fields, "project_id");
  const id = retentionId(fields);
  const { id: _, ...rest } = isObject(document) ? document : {};
  const body = { ...rest, ...(id !== undefined && { id }), scope: { level: "project", ref } };
  const request = { ...call, what: `set the retention policy of project ${project}`, body };
  if (id === undefined) await harbor.send("POST", "/retentions", request);
  else await harbor.send("PUT", `/retentions/${id}`, request);
  return { dialect: "harbor", document: body, scope: scopeOf(project) };
}

/** Harbor previews what is set and nothing else, and setting a policy to look at it would let it run. */
async function requireSet(
  harbor: Harbor,
  project: string,
  id: number | undefined,
  document: unknown,
  call?: Call,
): Promise<void> {
  const set = id === undefined ? undefined : await readPolicy(harbor, project, id, call);
  if (set && isDeepStrictEqual(essence(set.document), essence(document))) return;
  throw new RegistryError(
    "UNSUPPORTED",
    `Harbor previews only the policy that is set, and project ${project} has another`,
    {
      hint: "set it without a schedule (an empty cron), preview it, then set its schedule",
    },
  );
}

/** A policy without what Harbor adds to it: numbers, references, and its project. */
function essence(document: unknown): unknown {
  if (!isObject(document)) return document;
  const { id: _, scope: _scope, trigger, rules, ...rest } = document;
  const { references: _references, ...when } = isObject(trigger) ? trigger : {};
  const plain = (rule: unknown): unknown => {
    if (!isObject(rule)) return rule;
    const { id: _id, priority: _priority, ...said } = rule;
    return { disabled: false, ...said };
  };
  return { ...rest, trigger: when, rules: Array.isArray(rules) ? rules.map(plain) : rules };
}
