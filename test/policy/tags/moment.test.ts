import { expect, test } from "vitest";
import { formatMoment } from "../../../src/policy/tags/moment.ts";

const time = Date.parse("2020-01-10T15:25:50.123Z");

// https://momentjs.com/docs/#/displaying/format/ and https://github.com/docker/metadata-action#date-format-tztimezone
test.each([
  ["YYYYMMDD", "UTC", "20200110"],
  ["dddd, MMMM Do YYYY, h:mm:ss a", "UTC", "Friday, January 10th 2020, 3:25:50 pm"],
  ["ddd, hA", "UTC", "Fri, 3PM"],
  ["[Today is] dddd", "UTC", "Today is Friday"],
  ["YYYY-MM-DDTHH:mm:ss.SSS[Z]", "UTC", "2020-01-10T15:25:50.123Z"],
  ["YYYYMMDD-HHmmss Z ZZ", "Asia/Tokyo", "20200111-002550 +09:00 +0900"],
  ["YYYY-MM-DD HH:mm Z", "America/St_Johns", "2020-01-10 11:55 -03:30"],
  ["YY M Mo D DDD DDDD DDDo Q Qo", "UTC", "20 1 1st 10 10 010 10th 1 1st"],
  ["d do e E dd", "UTC", "5 5th 5 5 Fr"],
  ["GGGG-[W]WW gggg w wo GG", "UTC", "2020-W02 2020 2 2nd 20"],
  ["H k kk hh X x S SS SSSS", "UTC", "15 15 15 03 1578669950 1578669950123 1 12 1230"],
  ["L LL LT LTS", "UTC", "01/10/2020 January 10, 2020 3:25 PM 3:25:50 PM"],
  [String.raw`\Y?`, "UTC", "Y?"],
])("%s in %s: %s", (format, zone, text) => {
  expect(formatMoment(time, format, zone)).toBe(text);
});

test.each([
  ["2021-01-03T12:00:00Z", "2020-W53-7 2021-2"],
  ["2018-12-31T12:00:00Z", "2019-W01-1 2019-1"],
  ["2016-01-01T12:00:00Z", "2015-W53-5 2016-1"],
  ["2026-01-01T00:00:00Z", "2026-W01-4 2026-1"],
])("weeks around the year's end: %s is %s", (when, text) => {
  expect(formatMoment(Date.parse(when), "GGGG-[W]WW-E gggg-w")).toBe(text);
});

test("midnight, noon and summer time", () => {
  expect(formatMoment(Date.parse("2026-07-01T22:00:00Z"), "YYYY-MM-DD HH:mm h a k Z", "Europe/Berlin")).toBe(
    "2026-07-02 00:00 12 am 24 +02:00",
  );
  expect(formatMoment(Date.parse("2026-01-01T12:00:00Z"), "h A")).toBe("12 PM");
});
