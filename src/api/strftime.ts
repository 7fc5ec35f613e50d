/** Python's strftime in the C locale, for the templates that write the date. */

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

const DIRECTIVES: Readonly<Record<string, (date: Date) => string>> = {
  '%': () => '%',
  A: (date) => DAYS[date.getDay()]!,
  a: (date) => DAYS[date.getDay()]!.slice(0, 3),
  B: (date) => MONTHS[date.getMonth()]!,
  b: (date) => MONTHS[date.getMonth()]!.slice(0, 3),
  d: (date) => digits(date.getDate()),
  H: (date) => digits(date.getHours()),
  I: (date) => digits(date.getHours() % 12 || 12),
  M: (date) => digits(date.getMinutes()),
  m: (date) => digits(date.getMonth() + 1),
  p: (date) => (date.getHours() < 12 ? 'AM' : 'PM'),
  S: (date) => digits(date.getSeconds()),
  Y: (date) => String(date.getFullYear()),
  y: (date) => digits(date.getFullYear() % 100),
};

/** In local time, as Python's `datetime.now()` is. Throws Error for a directive that is not known. */
export function strftime(format: string, date: Date): string {
  return format.replaceAll(/%(.?)/gsu, (directive, name: string) => {
    const write = Object.hasOwn(DIRECTIVES, name) ? DIRECTIVES[name] : undefined;
    if (write === undefined)
      throw new Error(`it writes the date with ${JSON.stringify(directive)}, which is not known`);
    return write(date);
  });
}

function digits(value: number): string {
  return String(value).padStart(2, '0');
}
