/* Light or dark: as the system says, or as was chosen here (public/theme.js applies it before the first paint). */
export type Theme = 'system' | 'light' | 'dark';

export function currentTheme(): Theme {
  const theme = document.documentElement.dataset['theme'];
  return theme === 'light' || theme === 'dark' ? theme : 'system';
}

export function setTheme(theme: Theme): void {
  if (theme === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme;
  try {
    if (theme === 'system') localStorage.removeItem('trine-theme');
    else localStorage.setItem('trine-theme', theme);
  } catch {
    /* storage is forbidden: it lasts as long as the page */
  }
}
