import { isRegistryError, RegistryError } from "../../oci/error.ts";
import type { Call } from "../../store/store.ts";
import type { Harbor } from "./api.ts";
import type { Fields } from "./fields.ts";
import { named, projectPath } from "./place.ts";

/** Reads a project; undefined where it is not there. */
export async function findProject(harbor: Harbor, project: string, call: Call = {}): Promise<Fields | undefined> {
  try {
    return await harbor.object(projectPath(project), { ...call, what: `read project ${project}`, headers: named });
  } catch (error) {
    if (isRegistryError(error, "NAME_UNKNOWN")) return undefined;
    throw error;
  }
}

/** Reads a project; throws NAME_UNKNOWN where it is not there. */
export async function readProject(harbor: Harbor, project: string, call?: Call): Promise<Fields> {
  const found = await findProject(harbor, project, call);
  if (found) return found;
  throw new RegistryError("NAME_UNKNOWN", `there is no project ${project}`, {
    hint: "who may make projects, makes it with `gantry repo create`",
  });
}
