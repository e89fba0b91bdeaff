import { isRegistryError } from "../../oci/error.ts";
import type { Call } from "../../store/store.ts";
import { inOrder } from "../in-order.ts";
import type { Allowance } from "../service.ts";
import type { Harbor, OpenHarbor } from "./api.ts";
import { countIn, fieldsIn, textIn, type Fields } from "./fields.ts";
import { named, projectPath } from "./place.ts";

const atOnce = 4;

/** The storage of projects: of all for system administrators, for others of the projects that they have a part in. */
export async function harborQuotas(open: OpenHarbor, call: Call = {}): Promise<readonly Allowance[]> {
  const harbor = open();
  try {
    const request = { ...call, what: "read the quotas", query: { reference: "project" } };
    const quotas = (await Array.fromAsync(harbor.lists("/quotas", request))).flat();
    return quotas.flatMap((quota) => allowanceOf(textIn(fieldsIn(quota, "ref"), "name"), quota) ?? []);
  } catch (error) {
    if (!isRegistryError(error, "DENIED")) throw error;
    return await ownQuotas(harbor, call);
  }
}

/** A project's summary has its quota for those who have a role in it, and for robots with the right to read quotas. */
async function ownQuotas(harbor: Harbor, call: Call): Promise<readonly Allowance[]> {
  const request = { ...call, what: "list projects", query: { with_detail: "true" } };
  const projects = (await Array.fromAsync(harbor.lists("/projects", request))).flat().filter(isOwn);
  const names = projects.flatMap((project) => textIn(project, "name") ?? []);
  const found = await Array.fromAsync(
    inOrder(names, atOnce, async (name) => {
      const what = `read the quota of project ${name}`;
      const { body } = await harbor.send("GET", `${projectPath(name)}/summary`, {
        ...call,
        what,
        headers: named,
        accept: [200, 403, 404],
      });
      return allowanceOf(name, fieldsIn(fieldsIn({ body }, "body"), "quota"));
    }),
  );
  return found.filter((allowance) => allowance !== undefined);
}

/** Public projects of others are listed too. */
function isOwn(project: Fields): boolean {
  const roles = project["current_user_role_ids"];
  return (
    (Array.isArray(roles) && roles.length > 0) ||
    (countIn(project, "current_user_role_id") ?? 0) > 0 ||
    fieldsIn(project, "metadata")["public"] !== "true"
  );
}

function allowanceOf(project: string | undefined, quota: Fields): Allowance | undefined {
  const hard = fieldsIn(quota, "hard")["storage"];
  const used = countIn(fieldsIn(quota, "used"), "storage");
  if (project === undefined || typeof hard !== "number") return undefined;
  const what = `storage of project ${project}`;
  const told = used === undefined ? {} : { used };
  if (hard < 0) return { what, unit: "bytes", unlimited: true, ...told };
  return {
    what,
    unit: "bytes",
    limit: hard,
    ...told,
    ...(used !== undefined && { remaining: Math.max(0, hard - used) }),
  };
}
