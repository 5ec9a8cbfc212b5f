<?xml version="1.0" encoding="UTF-8"?>
<!-- Simple Dublin Core of a cruise, or of one of its file sets when $fileset names it. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
                xmlns:r="urn:leadline:cruise-record:1" exclude-result-prefixes="r"
                xmlns:oai_dc="http://www.openarchives.org/OAI/2.0/oai_dc/" xmlns:dc="http://purl.org/dc/elements/1.1/"
                xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <xsl:output method="xml" encoding="UTF-8" omit-xml-declaration="yes"/>
  <xsl:param name="fileset"/>

  <xsl:template match="/r:cruiserecord">
    <oai_dc:dc xsi:schemaLocation="http://www.openarchives.org/OAI/2.0/oai_dc/ http://www.openarchives.org/OAI/2.0/oai_dc.xsd">
      <xsl:choose>
        <xsl:when test="$fileset"><xsl:apply-templates select="r:filesets/r:fileset[r:id = $fileset]"/></xsl:when>
        <xsl:otherwise><xsl:apply-templates select="r:cruise"/></xsl:otherwise>
      </xsl:choose>
      <xsl:for-each select="r:cruise/r:party/r:person">
        <dc:contributor><xsl:call-template name="person"/></dc:contributor>
      </xsl:for-each>
      <dc:publisher><xsl:value-of select="r:provenance/r:repository"/></dc:publisher>
      <dc:language>en</dc:language>
      <xsl:for-each select="r:cruise">
        <dc:coverage><xsl:value-of select="concat(r:depart_date, '/', r:arrive_date)"/></dc:coverage>
        <xsl:for-each select="r:extent">
          <dc:coverage>
            <xsl:value-of select="concat('northlimit=', r:northernmost, '; southlimit=', r:southernmost,
                                         '; westlimit=', r:westernmost, '; eastlimit=', r:easternmost)"/>
          </dc:coverage>
        </xsl:for-each>
      </xsl:for-each>
    </oai_dc:dc>
  </xsl:template>

  <xsl:template match="r:cruise">
    <dc:title xml:lang="en">
      <xsl:value-of select="concat('Cruise ', r:id, ' on ', r:vessel_name, ': ', r:cname)"/>
    </dc:title>
    <dc:creator><xsl:value-of select="r:operator_name"/></dc:creator>
    <dc:subject xml:lang="en">oceans</dc:subject>
    <dc:subject xml:lang="en">research cruise</dc:subject>
    <xsl:for-each select="r:summary"><dc:description xml:lang="en"><xsl:value-of select="."/></dc:description></xsl:for-each>
    <dc:date>
      <xsl:choose>
        <xsl:when test="r:date_issued"><xsl:value-of select="substring(r:date_issued, 1, 10)"/></xsl:when>
        <xsl:otherwise><xsl:value-of select="r:arrive_date"/></xsl:otherwise>
      </xsl:choose>
    </dc:date>
    <dc:type>Event</dc:type>
    <xsl:for-each select="r:doi"><dc:identifier><xsl:value-of select="concat('https://doi.org/', .)"/></dc:identifier></xsl:for-each>
    <dc:identifier><xsl:value-of select="../r:provenance/r:landing_page"/></dc:identifier>
    <dc:identifier><xsl:value-of select="r:id"/></dc:identifier>
    <xsl:for-each select="../r:filesets/r:fileset/r:doi">
      <dc:relation><xsl:value-of select="concat('https://doi.org/', .)"/></dc:relation>
    </xsl:for-each>
  </xsl:template>

  <xsl:template match="r:fileset">
    <dc:title xml:lang="en">
      <xsl:value-of select="concat(r:name, ', cruise ', /r:cruiserecord/r:cruise/r:id, ' on ', /r:cruiserecord/r:cruise/r:vessel_name)"/>
    </dc:title>
    <dc:creator><xsl:value-of select="/r:cruiserecord/r:cruise/r:operator_name"/></dc:creator>
    <dc:subject xml:lang="en">oceans</dc:subject>
    <dc:subject xml:lang="en"><xsl:value-of select="r:device/r:devicetype_name"/></dc:subject>
    <dc:description xml:lang="en">
      <xsl:value-of select="concat(r:files, ' files, ', r:bytes, ' bytes, ', r:proclevel, ' data of cruise ',
                                   /r:cruiserecord/r:cruise/r:id, ': ', /r:cruiserecord/r:cruise/r:cname)"/>
    </dc:description>
    <dc:date><xsl:value-of select="/r:cruiserecord/r:cruise/r:arrive_date"/></dc:date>
    <dc:type>Dataset</dc:type>
    <xsl:for-each select="r:fileformat"><dc:format><xsl:value-of select="."/></dc:format></xsl:for-each>
    <xsl:for-each select="r:doi"><dc:identifier><xsl:value-of select="concat('https://doi.org/', .)"/></dc:identifier></xsl:for-each>
    <dc:identifier><xsl:value-of select="r:landing_page"/></dc:identifier>
    <xsl:for-each select="r:archive"><dc:relation><xsl:value-of select="r:landing_url"/></dc:relation></xsl:for-each>
    <xsl:for-each select="/r:cruiserecord/r:cruise/r:doi">
      <dc:relation><xsl:value-of select="concat('https://doi.org/', .)"/></dc:relation>
    </xsl:for-each>
    <dc:rights><xsl:value-of select="r:licence"/></dc:rights>
  </xsl:template>

  <xsl:template name="person">
    <xsl:value-of select="r:family_name"/>
    <xsl:for-each select="r:given_name"><xsl:value-of select="concat(', ', .)"/></xsl:for-each>
  </xsl:template>
</xsl:stylesheet>
