// Before anything is painted: the colours that were chosen in this browser, where they are not those of the system.
{
  const kept = localStorage.getItem('haldir.theme');
  if (kept === 'light' || kept === 'dark') document.documentElement.dataset.theme = kept;
}
