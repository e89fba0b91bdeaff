import { readFile } from "node:fs/promises";
import { doing, fileError, isErrno } from "../../files/file-error.ts";
import { withLock } from "../../files/lock.ts";
import { realPath } from "../../files/real-path.ts";
import {
  isRegistryError,
  readHistory,
  streamOf,
  type Client,
  type Inventory,
  type Note,
  type RegistryError,
} from "../../index.ts";
import { parseYaml } from "../../plan/index.ts";
import {
  checkTags,
  movesOfJournal,
  movesOfReceipts,
  noHistory,
  parseTagHistory,
  planFixes,
  receiptType,
  recordTags,
  severities,
  withMoves,
  type Receipt,
  type TagFinding,
  type TagHistory,
  type TagMove,
} from "../../policy/index.ts";
import type { Cli } from "../cli.ts";
import type { Run } from "../command.ts";
import { writeWhole } from "../files.ts";
import { journals } from "../journals.ts";
import { offerPlan } from "../plans.ts";
import { folded } from "../render/table.ts";
import { paint, plain, type Look } from "../render/text.ts";
import { openRepository } from "../service-place.ts";
import { failOn, fixes, history } from "../table/tags-options.ts";

export const run: Run<[repositories: string[]]> = async ([places], cli) => {
  const { get, out, client, reporter } = cli;
  const connected = await client({ from: places });
  const file = get(history);
  const known = file === undefined ? noHistory : await readRecord(file);
  const checked: { readonly inventory: Inventory; readonly findings: readonly TagFinding[] }[] = [];
  const now = new Date();
  const journaled = await journaledMoves(cli);
  const { read, unread } = await readAll(places, connected, cli);
  for (const { inventory, receipts } of read) {
    const { repository } = inventory;
    const moves = [...movesOfReceipts(repository, receipts), ...(journaled.get(repository) ?? [])];
    const past = withMoves(known, repository, moves);
    checked.push({ inventory, findings: checkTags(inventory, past) });
  }
  if (file !== undefined) await record(file, read, now, cli);
  if (get(fixes)) {
    const ending = await offerPlan({ ...planFixes(checked, now), notes: unread }, cli, connected);
    return unread.length > 0 ? "partly" : ending;
  }
  const findings = checked.flatMap(({ findings: all }) => all);
  await out.print(findings, findingsText);
  if (findings.length === 0) {
    reporter.say(`nothing found in ${read.map(({ inventory: { repository } }) => repository).join(", ")}`);
  }
  for (const { at, message } of unread) reporter.say(plain(`error: ${at}: ${message}`));
  const worst = get(failOn);
  const isBad = ({ severity }: TagFinding): boolean =>
    worst !== undefined && severities.indexOf(severity) <= severities.indexOf(worst);
  if (findings.some(isBad)) return "refused";
  return unread.length > 0 ? "partly" : "done";
};

interface Repository {
  readonly inventory: Inventory;
  readonly receipts: readonly Receipt[];
}

/** Reads repositories. One that cannot be read stops no other; where none can, the first failure is thrown. */
async function readAll(
  places: readonly string[],
  client: Client,
  cli: Cli,
): Promise<{ readonly read: readonly Repository[]; readonly unread: readonly Note[] }> {
  const read: Repository[] = [];
  const failures: { readonly at: string; readonly error: RegistryError }[] = [];
  for (const at of places) {
    try {
      read.push(await readOne(at, client, cli));
    } catch (error) {
      if (cli.signal.aborted || !isRegistryError(error) || error.code === "INVALID") throw error;
      failures.push({ at, error });
    }
  }
  if (read.length === 0) throw failures[0]!.error;
  return { read, unread: failures.map(({ at, error }) => ({ level: "refused", at, message: error.message })) };
}

async function readOne(place: string, client: Client, cli: Cli): Promise<Repository> {
  const { signal } = cli;
  const { name } = await openRepository(place, cli, client);
  const inventory = await client.inventory(name, { signal });
  // A listing of what is not there looks like one of nothing: whoever wrote the name wrong has to be told.
  if (inventory.manifests.size === 0) await Array.fromAsync(client.open(name).store.tags({ signal }));
  return { inventory, receipts: await receiptsIn(inventory, client, cli) };
}

/** The receipts of promotions that a repository has; no request where it has none. */
async function receiptsIn(
  { repository, manifests }: Inventory,
  client: Client,
  { signal }: Cli,
): Promise<readonly Receipt[]> {
  const promoted = new Set(
    [...manifests.values()].flatMap(({ artifactType, subject }) => (artifactType === receiptType && subject) || []),
  );
  const receipts: Receipt[] = [];
  for (const digest of promoted) {
    const found = await readHistory(client, { repository, digest }, { signal });
    receipts.push(...found.map(({ receipt }) => receipt));
  }
  return receipts;
}

/** What Gantry's journals on this machine say that it did with tags, by repository. */
async function journaledMoves(cli: Cli): Promise<ReadonlyMap<string, readonly TagMove[]>> {
  const moves = new Map<string, TagMove[]>();
  for await (const journal of journals(cli)) {
    for (const { repository, ...move } of movesOfJournal(journal)) {
      const known = moves.get(repository);
      if (known) known.push(move);
      else moves.set(repository, [move]);
    }
  }
  return moves;
}

const colors = { error: "red", warning: "yellow", info: "dim" } as const;

function findingsText(findings: readonly TagFinding[], look: Look): string {
  const lines = (text: string): string => folded(plain(text), look, "  ");
  return findings
    .map(({ severity, rule, at, message, advice }) => {
      const title = lines(`${severity} ${at}: ${rule}`).replace(severity, paint(look, colors[severity], severity));
      // A command is for copying, and stays in one line.
      const whole = lines(advice.replace(/gantry [^;]*/, (command) => command.replaceAll(" ", "\u00A0")));
      return `${title}\n  ${lines(message)}\n  ${paint(look, "dim", whole.replaceAll("\u00A0", " "))}\n`;
    })
    .join("");
}

async function readRecord(file: string): Promise<TagHistory> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if (isErrno(error, "ENOENT")) return noHistory;
    throw fileError(error, `read ${file}`);
  }
  return parseTagHistory(parseYaml(text, file));
}

/** Adds what tags name now to what is in the file by then, which other runs may have written meanwhile. */
async function record(file: string, read: readonly Repository[], now: Date, { signal }: Cli): Promise<void> {
  await doing(`write ${file}`, () =>
    withLock(`${realPath(file)}.lock`, { what: file, signal }, async () => {
      const known = read.reduce((all, { inventory }) => recordTags(all, inventory, now), await readRecord(file));
      await writeWhole(file, streamOf(Buffer.from(`${JSON.stringify(known, undefined, 2)}\n`)), signal);
    }),
  );
}
