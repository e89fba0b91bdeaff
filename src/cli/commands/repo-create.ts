import { isRegistryError, RegistryError } from "../../index.ts";
import type { Run } from "../command.ts";
import { count } from "../render/text.ts";
import { openRepository } from "../service-place.ts";

interface Creation {
  readonly repository: string;
  readonly outcome: "created" | "exists" | "failed";
  /** Why it failed. */
  readonly error?: { readonly code: string; readonly message: string };
}

export const run: Run<[repositories: string[]]> = async ([places], cli) => {
  const { signal, out } = cli;
  const client = await cli.client({ from: places });
  const failures: RegistryError[] = [];
  const create = async (place: string): Promise<Creation> => {
    const { name, repository, service } = await openRepository(place, cli, client);
    try {
      return { repository: name, outcome: await service.createRepository(repository, { signal }) };
    } catch (error) {
      if (!isRegistryError(error) || error.code === "ABORTED") throw error;
      failures.push(error);
      return { repository: name, outcome: "failed", error: { code: error.code, message: error.message } };
    }
  };
  const creations: Creation[] = [];
  for (const place of places) creations.push(await create(place));
  const [first] = failures;
  // Of a single one the error alone tells.
  const isTold = first !== undefined && creations.length === 1;
  await out.print(creations, (all) => (isTold ? "" : all.map(creationText).join("")));
  if (!first) return "done";
  if (isTold) throw first;
  const { code, host, status, hint } = first;
  throw new RegistryError(
    failures.length < creations.length ? "PARTIAL" : code,
    `${failures.length} of ${count(creations.length, "repository", "repositories")} could not be created`,
    { ...(host && { host }), ...(status && { status }), ...(hint && { hint }), cause: first },
  );
};

function creationText({ repository, outcome, error }: Creation): string {
  if (error) return `failed ${repository}: ${error.message}\n`;
  return outcome === "created" ? `created ${repository}\n` : `${repository} is there already\n`;
}
