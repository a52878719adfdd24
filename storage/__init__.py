"""Everything that is kept: tables, repositories, migrations, media files."""
