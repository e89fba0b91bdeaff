import { readFile } from "node:fs/promises";
import { RegistryError } from "../index.ts";
import { ciContext, withGithubEvent, type BuildContext, type CiContext } from "../policy/index.ts";
import type { Cli } from "./cli.ts";
import { gitContext } from "./git.ts";
import * as options from "./table/tags-options.ts";

/** No event of GitHub's is as long. */
const longestEvent = 32 << 20;

/** What is built: as the options say, else the variables of a CI, else git. */
export async function buildContext({ get, places, signal }: Cli): Promise<BuildContext> {
  const { env, cwd } = places;
  const ci = await ciBuild(env);
  const known = ci?.ref !== undefined && ci.sha !== undefined && ci.committed !== undefined;
  const git = known ? undefined : await gitContext({ cwd, env, signal });
  const ref = givenRef(get);
  const [sha, defaultBranch] = [get(options.commit), get(options.defaultBranch)];
  const short = Number(env["DOCKER_METADATA_SHORT_SHA_LENGTH"] || 7);
  // A commit of another build says nothing of when this one was made.
  const { committed: _, ...found } = { ...git, ...ci };
  const isSame = git?.sha === (sha ?? ci?.sha ?? git?.sha);
  const at = ci?.committed ?? (isSame ? git?.committed : undefined);
  return {
    ...found,
    ...(at !== undefined && { committed: at }),
    ...(ref !== undefined && { ref }),
    ...(sha !== undefined && { sha }),
    ...(defaultBranch !== undefined && { defaultBranch }),
    ...(get(options.scheduled) && { event: "schedule" }),
    ...(Number.isSafeInteger(short) && short > 0 && { shortLength: short }),
  };
}

function givenRef(get: Cli["get"]): string | undefined {
  const [tag, branch, pullRequest] = [get(options.gitTag), get(options.branch), get(options.pullRequest)];
  const refs = [
    ...(tag === undefined ? [] : [`refs/tags/${tag}`]),
    ...(branch === undefined ? [] : [`refs/heads/${branch}`]),
    ...(pullRequest === undefined ? [] : [`refs/pull/${pullRequest}/merge`]),
  ];
  if (refs.length > 1) {
    throw new RegistryError("INVALID", "a build is of one git tag, branch or pull request", {
      hint: "say one of --git-tag, --branch and --pull-request",
    });
  }
  return refs[0];
}

async function ciBuild(env: Cli["places"]["env"]): Promise<CiContext | undefined> {
  const context = ciContext(env);
  const path = env["GITHUB_EVENT_PATH"];
  if (!context || !path) return context;
  try {
    const text = await readFile(path, "utf8");
    return text.length > longestEvent ? context : withGithubEvent(context, JSON.parse(text));
  } catch {
    // Not every CI that sets GitHub's variables writes the file.
    return context;
  }
}
