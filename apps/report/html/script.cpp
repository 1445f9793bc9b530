#include "apps/report/html/assets.h"

namespace intaglio::html {

// A body of a table is what moves: a value, with a row for each method. Its key in a column is the
// least of its cells when sorting upward, the largest when sorting downward; dashes go last.
const std::string_view script = R"js(
'use strict';
for (const table of document.querySelectorAll('table.sortable')) {
  for (const head of table.tHead.querySelectorAll('th[data-k]')) {
    const button = document.createElement('button');
    button.type = 'button';
    button.append(...head.childNodes);
    head.append(button);
    head.setAttribute('aria-sort', 'none');
    button.addEventListener('click', () => sort(table, head));
  }
}

function sort(table, head) {
  const up = head.getAttribute('aria-sort') !== 'ascending';
  for (const other of table.tHead.querySelectorAll('[aria-sort]'))
    other.setAttribute('aria-sort', other !== head ? 'none' : up ? 'ascending' : 'descending');
  const text = head.classList.contains('t');
  const rows = [...table.tBodies].map(body => ({ body, key: key(body, head.dataset.k, text, up) }));
  const compare = text ? (a, b) => a.key.localeCompare(b.key, 'en', { numeric: true })
                       : (a, b) => a.key - b.key;
  rows.sort((a, b) => text || !(isNaN(a.key) || isNaN(b.key))
                          ? (up ? compare(a, b) : compare(b, a))
                          : isNaN(a.key) - isNaN(b.key));
  table.append(...rows.map(row => row.body));
}

function key(body, name, text, up) {
  const cells = [...body.querySelectorAll('[data-k="' + name + '"]')].map(cell => cell.textContent);
  if (text) return cells[0] || '';
  const numbers = cells.map(cell => parseFloat(cell.replace(/\u202f/g, ''))).filter(n => !isNaN(n));
  return numbers.length === 0 ? NaN : up ? Math.min(...numbers) : Math.max(...numbers);
}

addEventListener('beforeprint', () => {
  for (const details of document.querySelectorAll('details:not([open])')) {
    details.open = true;
    details.dataset.closed = '';
  }
});
addEventListener('afterprint', () => {
  for (const details of document.querySelectorAll('details[data-closed]')) {
    details.open = false;
    delete details.dataset.closed;
  }
});
)js";

}  // namespace intaglio::html
