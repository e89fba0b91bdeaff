import { isObject } from "../../oci/descriptor.ts";
import { RegistryError } from "../../oci/error.ts";
import type { Call } from "../../store/store.ts";
import { notHarbor, type Harbor } from "./api.ts";
import type { Fields } from "./fields.ts";
import { named, projectPath } from "./place.ts";

/** Reads a project; undefined where it is not there. */
export async function findProject(harbor: Harbor, project: string, call: Call = {}): Promise<Fields | undefined> {
  const answer = await harbor.send("GET", projectPath(project), {
    ...call,
    what: `read project ${project}`,
    headers: named,
    accept: [200, 404],
  });
  if (answer.status === 404) return undefined;
  if (isObject(answer.body)) return answer.body;
  throw notHarbor(undefined, { what: `read project ${project}` });
}

/** Reads a project; throws NAME_UNKNOWN where it is not there. */
export async function readProject(harbor: Harbor, project: string, call?: Call): Promise<Fields> {
  const found = await findProject(harbor, project, call);
  if (found) return found;
  throw new RegistryError("NAME_UNKNOWN", `there is no project ${project}`, {
    hint: "a project is made by a person or an administrator: gantry repo create",
  });
}
