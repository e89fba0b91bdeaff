import type { SizeAt } from "../policy/index.ts";
import type { Cli } from "./cli.ts";
import { writeText } from "./files.ts";
import { format } from "./options.ts";
import { sizeChart } from "./render/size-chart.ts";
import { sizePage, sizeSvg } from "./render/size-svg.ts";
import { asOf, chart } from "./table/retain.ts";

/** Draws sizes over time where --chart says; and with --as-of on a terminal. They are only worked out where they are drawn. */
export async function showSizes(sizesOf: () => readonly SizeAt[], { get, out, reporter }: Cli): Promise<void> {
  const file = get(chart);
  if (file !== undefined && file !== "-") {
    const sizes = sizesOf();
    await writeText(file, file.toLowerCase().endsWith(".svg") ? sizeSvg(sizes) : sizePage(sizes));
    reporter.say(`the size over time is drawn in ${file}`);
  } else if ((file === "-" || get(asOf)) && (get(format) ?? "table") === "table") {
    await out.print(undefined, (_, look) =>
      file === "-" || look.width !== undefined ? sizeChart(sizesOf(), look) : "",
    );
  }
}
