"""What people read, in English and German: plain tables, one module for each part of the site."""
