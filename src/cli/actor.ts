import { userInfo } from "node:os";
import type { Who } from "../index.ts";
import type { Io } from "./io.ts";

/** The variables in which CI services say for whom they work, and where the run can be seen. */
const services: readonly {
  readonly by: string;
  readonly name: readonly string[];
  readonly run: string | ((env: Io["env"]) => string | undefined);
}[] = [
  { by: "GitHub Actions", name: ["GITHUB_ACTOR"], run: githubRun },
  { by: "GitLab CI", name: ["GITLAB_USER_LOGIN"], run: "CI_JOB_URL" },
  { by: "Azure Pipelines", name: ["BUILD_REQUESTEDFOREMAIL", "BUILD_REQUESTEDFOR"], run: azureRun },
  { by: "Buildkite", name: ["BUILDKITE_BUILD_CREATOR_EMAIL", "BUILDKITE_BUILD_CREATOR"], run: "BUILDKITE_BUILD_URL" },
  { by: "CircleCI", name: ["CIRCLE_USERNAME"], run: "CIRCLE_BUILD_URL" },
  { by: "Jenkins", name: ["BUILD_USER_ID", "CHANGE_AUTHOR"], run: "BUILD_URL" },
];

/** Who runs this: whom a CI service names, else the machine's user; a name that was typed counts more. */
export function actorOf(env: Io["env"], typed?: string): Who {
  const service = services.find(({ name }) => name.some((variable) => env[variable]));
  const named = service?.name.map((variable) => env[variable]).find(Boolean);
  const run = service && (typeof service.run === "string" ? env[service.run] : service.run(env));
  const by = typed === undefined ? (service?.by ?? "the machine's user") : "--by";
  return {
    name: cut(typed ?? named ?? machineUser(env)),
    by,
    ...(run !== undefined && /^https?:\/\/[^@\s]+$/.test(run) && { run: cut(run) }),
  };
}

/** A cron job or a container has none of these variables. */
function machineUser(env: Io["env"]): string {
  try {
    return env["USER"] || env["LOGNAME"] || env["USERNAME"] || userInfo().username;
  } catch {
    return "unknown";
  }
}

function githubRun(env: Io["env"]): string | undefined {
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository, GITHUB_RUN_ID: id } = env;
  return server && repository && id ? `${server}/${repository}/actions/runs/${id}` : undefined;
}

function azureRun(env: Io["env"]): string | undefined {
  const { SYSTEM_COLLECTIONURI: server, SYSTEM_TEAMPROJECT: project, BUILD_BUILDID: id } = env;
  return server && project && id ? `${server}${encodeURI(project)}/_build/results?buildId=${id}` : undefined;
}

/** At most so long as a receipt takes. */
const cut = (text: string): string => text.slice(0, 500);
