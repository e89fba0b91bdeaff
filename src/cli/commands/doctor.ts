import type { Diagnosis } from "../../index.ts";
import type { Run } from "../command.ts";
import { exitOf, type ExitName } from "../exit-codes.ts";
import { checkTimeout, writeCheck } from "../table/doctor-options.ts";
import { diagnosisText } from "../render/diagnosis.ts";
import { count } from "../render/text.ts";

export const run: Run<[target: string | undefined]> = async ([target], { get, signal, client, out, reporter }) => {
  const made = await client({ from: target === undefined ? [] : [target] });
  const timeout = get(checkTimeout);
  const told: Diagnosis[] = [];
  const diagnoses = made.diagnose(target, {
    signal,
    writeCheck: get(writeCheck),
    ...(timeout !== undefined && { timeout }),
  });
  await out.list(kept(diagnoses, told), diagnosisText);
  const faults = told.filter(({ verdict }) => verdict === "fault");
  const warnings = told.filter(({ verdict }) => verdict === "warning").length;
  reporter.say(
    faults.length + warnings === 0
      ? "nothing is wrong"
      : `${count(faults.length, "fault")}, ${count(warnings, "warning")}`,
  );
  return faults[0] ? endingOf(faults[0]) : "done";
};

/** A fault ends a diagnosis as it would end the command that it stands in the way of; others are a failure. */
function endingOf({ code }: Diagnosis): ExitName {
  const name = exitOf(code ?? "UNKNOWN");
  return name === "denied" || name === "notFound" ? name : "failed";
}

async function* kept(diagnoses: AsyncIterable<Diagnosis>, told: Diagnosis[]): AsyncGenerator<Diagnosis, void> {
  for await (const diagnosis of diagnoses) {
    told.push(diagnosis);
    yield diagnosis;
  }
}
