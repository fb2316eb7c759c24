// Reads a calendar feed from standard input with ical.js and writes what it understood as JSON. The parser is strict:
// whatever it complains about ends this program.
import ICAL from 'ical.js';

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const text = Buffer.concat(chunks).toString('utf8');
ICAL.design.strict = true;
const calendar = new ICAL.Component(ICAL.parse(text));
const one = (name) => calendar.getFirstPropertyValue(name);
const events = calendar.getAllSubcomponents('vevent').map((component) => {
  const event = new ICAL.Event(component);
  return {
    uid: event.uid,
    from: event.startDate.toJSDate().getTime(),
    to: event.endDate.toJSDate().getTime(),
    summary: event.summary,
    sequence: event.sequence ?? 0,
    status: component.getFirstPropertyValue('status'),
    modified: component.getFirstPropertyValue('last-modified').toJSDate().getTime(),
    alarms: component.getAllSubcomponents('valarm').length,
  };
});
console.log(JSON.stringify({ prodid: one('prodid'), version: one('version'), method: one('method'), name: one('x-wr-calname'), events }));
