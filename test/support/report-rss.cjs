/** Preloaded into a child: at its end it writes the most memory the process held, in bytes. */
'use strict';

const { writeFileSync } = require('node:fs');

process.on('exit', () => {
  writeFileSync(process.env.REPORT_RSS_TO, String(process.resourceUsage().maxRSS * 1024));
});
